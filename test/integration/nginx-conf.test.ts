// deploy/nginx.conf as in a pod: a real nginx runs as an unprivileged user that can write only to its two volumes.
import { chmod, chown, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { type IncomingMessage, request, type ServerResponse } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Child } from "../sandbox/child.ts";
import { findProgram } from "../sandbox/programs.ts";
import { until } from "../sandbox/until.ts";
import { openReloaderPod, type ReloaderPod } from "./reloader-pod.ts";

// The user of the stock image. Only root can switch to another user; any other user is unprivileged already.
const UID = 101;
const asRoot = process.getuid?.() === 0;

let pod: ReloaderPod;
let nginx: Child;
/** The folder that takes the place of the container's file system. */
let root: string;
let generation = 0;

beforeAll(async () => {
  pod = await openReloaderPod();
  root = await pod.sandbox.subfolder("root");
  const at = (path: string) => join(root, path);
  await chmod(pod.sandbox.folder, 0o711);
  for (const path of ["etc/nginx/conf.d", "var/run/nginx", "var/cache/nginx"]) {
    await mkdir(at(path), { recursive: true });
  }
  const stdout = at("stdout.log");
  await writeFile(stdout, "");
  if (asRoot) {
    for (const path of [at("var/run/nginx"), at("var/cache/nginx"), stdout]) await chown(path, UID, UID);
  }
  const text = await readFile("deploy/nginx.conf", "utf8");
  const conf = at("etc/nginx/nginx.conf");
  // All paths are moved into that folder, and the limit for open streams is short enough for a test.
  await writeFile(
    conf,
    text.replaceAll(/ \/(?=etc|var)/g, ` ${root}/`).replace("shutdown_timeout 600s", "shutdown_timeout 1s"),
  );
  await writeFile(at("etc/nginx/mime.types"), "types { text/html html; }\n");
  await pod.startReloader({
    NGINX_CONFIG_PATH: at("etc/nginx/conf.d/default.conf"),
    NGINX_PID_FILE: at("var/run/nginx/nginx.pid"),
    NGINX_ERROR_LOG: at("var/run/nginx/error.log"),
  });
  await until("the first config is there", () => stat(at("etc/nginx/conf.d/default.conf")));
  const program = findProgram("nginx", process.env);
  const command = [program, "-c", conf, "-e", at("var/run/nginx/error.log"), "-g", "daemon off;"];
  const unprivileged = ["--reuid", String(UID), "--regid", String(UID), "--clear-groups", "--pdeathsig", "TERM", "--"];
  nginx = await pod.sandbox.start({
    name: "nginx",
    program: asRoot ? findProgram("setpriv", process.env) : program,
    args: asRoot ? [...unprivileged, ...command] : command.slice(1),
    outputFile: stdout,
  });
  await until("nginx answers", async () => (await pod.get("/-/live")).status === 200, {
    context: () => readFile(stdout, "utf8"),
  });
});
afterAll(() => pod.close());

/** Serves a new instance, and resolves when nginx does. */
async function serve(name: string, answer?: (request: IncomingMessage, response: ServerResponse) => void) {
  const instance = await pod.instance(name, answer);
  generation += 1;
  await pod.publish({ generation, server: instance.server });
  return pod.applied(generation);
}

test("nginx runs unprivileged, with two workers, and does not reveal its version", async () => {
  await serve("first");
  const answer = await pod.get();
  expect(answer.body).toBe("first");
  expect(answer.headers.server).toBe("nginx");
  const children = (await readFile(`/proc/${nginx.pid}/task/${nginx.pid}/children`, "utf8")).trim().split(" ");
  expect(children.length).toBe(2);
  const uid = /^Uid:\t(\d+)/m.exec(await readFile(`/proc/${nginx.pid}/status`, "utf8"))?.[1];
  expect(uid).toBe(String(asRoot ? UID : process.getuid?.()));
  expect((await readdir(join(root, "var/cache/nginx"))).sort()).toEqual([
    "client_temp",
    "fastcgi_temp",
    "proxy_temp",
    "scgi_temp",
    "uwsgi_temp",
  ]);
});

test("a reload is applied, and the second error log has only rejected configs", async () => {
  const { reloads } = await pod.status();
  const status = await serve("second");
  expect((await pod.get()).body).toBe("second");
  expect(status.reloads).toBe(reloads + 1);
  expect(await readFile(join(root, "stdout.log"), "utf8")).toContain("signal 1 (SIGHUP) received");
  expect(await readFile(join(root, "var/run/nginx/error.log"), "utf8")).toBe("");
});

test("the reloader reads from the second error log why a config was rejected", async () => {
  await serve("third");
  const bad = join(root, "etc/nginx/conf.d/other.conf");
  await writeFile(bad, "no_such_directive;\n");
  const instance = await pod.instance("fourth");
  generation += 1;
  await pod.publish({ generation, server: instance.server });
  const status = await pod.until("the refusal shows", (s) => s.refusals > 0);
  expect(status.problem).toContain('unknown directive "no_such_directive"');
  expect((await pod.get()).body).toBe("third");
  await rm(bad);
});

test("an answer that an old worker still sends is cut off at the time limit", async () => {
  await serve("streaming", (_, response) => response.write("the first part"));
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ host: "127.0.0.1", port: pod.proxyPort, agent: false }, resolve).on("error", reject).end();
  });
  const ended = new Promise<string>((resolve) => {
    response.on("error", (error) => resolve(error.message));
    response.on("end", () => resolve("complete"));
  });
  response.resume();
  await serve("fifth");
  expect((await pod.get()).body).toBe("fifth");
  expect(await ended).toBe("aborted");
});
