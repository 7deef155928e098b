// A custom template with the real nginx: applied, rejected with the reason, and applied again once corrected.
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { ROOT } from "../sandbox/sandbox.ts";
import { until } from "../sandbox/until.ts";
import { type Instance, openReloaderPod, type ReloaderPod } from "./reloader-pod.ts";

let pod: ReloaderPod;
afterEach(() => pod.close());

const command = (env: Record<string, string>, ...args: string[]) =>
  execFileSync(process.execPath, ["dist/reloader.mjs", ...args], { cwd: ROOT, env, encoding: "utf8" });

/** A pod that serves with this template. */
async function serving(change: (builtIn: string) => string) {
  pod = await openReloaderPod();
  const path = join(pod.sandbox.folder, "own.mustache");
  const builtIn = command({}, "template");
  const write = (edit: (text: string) => string) => writeFile(path, edit(builtIn));
  await write(change);
  const instance: Instance = await pod.instance("first");
  await pod.publish({ generation: 1, server: instance.server });
  const reloader = await pod.startReloader({ NGINX_TEMPLATE_PATH: path });
  await pod.startNginx();
  return { write, instance, path, reloader };
}
const withHeader = (value: string) => (text: string) =>
  text.replace("proxy_redirect off;", `proxy_redirect off;\n    add_header X-Own "${value}" always;`);
const shown = async () => (await pod.get()).headers["x-own"];

test("is what nginx runs and what `render` prints", async () => {
  const { path } = await serving(withHeader("1"));
  await pod.applied(1);
  expect(await shown()).toBe("1");
  const env = pod.reloaderEnv({ NGINX_TEMPLATE_PATH: path });
  expect(command(env, "render", "--upstream", pod.upstreamPath)).toBe(await pod.config());
  const flags = ["--nginx-template-path", path, "--upstream", pod.upstreamPath];
  expect(command(pod.reloaderEnv(), "render", ...flags)).toBe(await pod.config());
});

test.each([
  ["does not render", (text: string) => text.replace("{{/ipv6}}", ""), "Unclosed section"],
  ["lacks the hash", (text: string) => text.replace("{{{hash}}}", ""), "verifies with it which config nginx runs"],
  ["nginx refuses", (text: string) => text.replace("proxy_redirect off;", "no_such_directive;"), "no_such_directive"],
])("that %s leaves the last good config, tells why, and is taken once it is corrected", async (_, spoil, reason) => {
  const { write, reloader } = await serving(withHeader("1"));
  await pod.applied(1);
  const before = await pod.config();
  await write(spoil);
  const status = await pod.until("the reason shows", (s) => s.problem?.includes(reason));
  expect(status.applied?.generation).toBe(1);
  expect(await pod.config()).toBe(before);
  expect(await shown()).toBe("1");
  expect(reloader.lines.join("\n")).toContain(reason);
  if (reason === "no_such_directive") expect(status.problem).toMatch(/default\.conf:\d+/);
  await write(withHeader("2"));
  await until("the corrected one runs", async () => (await shown()) === "2");
  await pod.until("all is well", (s) => s.problem === null);
});

test("that is invalid does not keep a withdrawn server", async () => {
  const { write, instance } = await serving(withHeader("1"));
  await pod.applied(1);
  await write((text) => text.replace("default_server;", "no such thing;"));
  await pod.until("nginx refuses it", (s) => s.problem?.includes("refused"));
  await pod.publish({ generation: 2, server: null, state: "unavailable" });
  expect((await pod.applied(2)).applied?.server).toBeNull();
  expect((await pod.get()).status).toBe(503);
  expect(instance.requests).toEqual([]);
});

test("that is missing at a first start is answered with 503, and is applied when it appears", async () => {
  pod = await openReloaderPod();
  const path = join(pod.sandbox.folder, "later.mustache");
  const instance = await pod.instance("first");
  await pod.publish({ generation: 1, server: instance.server });
  await pod.startReloader({ NGINX_TEMPLATE_PATH: path });
  await pod.startNginx();
  const status = await pod.until("its lack shows", (s) => s.applied !== null && s.problem?.includes("ENOENT"));
  expect(status.problem).toContain("NGINX_TEMPLATE_PATH");
  expect((await pod.get()).status).toBe(503);
  await writeFile(path, command({}, "template"));
  await pod.applied(1);
  expect((await pod.get()).body).toBe("first");
});
