// The connection from nginx to the instance over the internet: TLS, the Host header and the authentication header.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Child } from "../sandbox/child.ts";
import type { RunningNginx } from "../sandbox/nginx.ts";
import { isFree } from "../sandbox/ports.ts";
import { readFolder } from "../sandbox/read-folder.ts";
import { ROOT } from "../sandbox/sandbox.ts";
import { until } from "../sandbox/until.ts";
import { type Answer, openReloaderPod, type ReloaderPod } from "./reloader-pod.ts";

const pem = (name: string) => join(ROOT, "test/integration/tls", name);
const CA = pem("ca.pem");
const NAME = "instance.example";

let pod: ReloaderPod;
let reloader: Child;
let nginx: RunningNginx;
beforeEach(async () => {
  pod = await openReloaderPod();
});
afterEach(() => pod.close());

async function started(env: Record<string, string>, answer: Answer, tls: boolean) {
  const key = tls ? { key: await readFile(pem("instance.key")), cert: await readFile(pem("instance.pem")) } : undefined;
  const instance = await pod.instance("it", answer, key);
  reloader = await pod.startReloader(env);
  nginx = await pod.startNginx();
  await pod.until("nginx runs without a server", (s) => s.applied !== null);
  await pod.publish({ generation: 1, server: instance.server });
  return instance;
}

describe("an https instance", () => {
  const secret: Answer = (_, response) => response.end("the body");
  const serving = async (env: Record<string, string> = {}) => {
    const instance = await started(env, secret, true);
    await pod.applied(1);
    return instance;
  };
  const verified = { NGINX_UPSTREAM_TLS_VERIFY: "on", NGINX_UPSTREAM_TLS_CA: CA };

  test("is served without verifying its certificate by default", async () => {
    await serving();
    expect(await pod.get()).toMatchObject({ status: 200, body: "the body" });
  });

  test("is served when its certificate is valid", async () => {
    await serving({ ...verified, NGINX_UPSTREAM_TLS_NAME: NAME });
    expect(await pod.get()).toMatchObject({ status: 200, body: "the body" });
  });

  test.each([
    ["another authority", { NGINX_UPSTREAM_TLS_CA: pem("other-ca.pem"), NGINX_UPSTREAM_TLS_NAME: NAME }],
    ["another name", { NGINX_UPSTREAM_TLS_NAME: "other.example" }],
    ["a name of the same length that begins alike", { NGINX_UPSTREAM_TLS_NAME: "instance.examplf" }],
  ])("is a 502 and never its body when the certificate is for %s", async (_, env) => {
    const instance = await serving({ ...verified, ...env });
    const answer = await pod.get();
    expect(answer.status).toBe(502);
    expect(answer.body).not.toContain("the body");
    expect(instance.requests).toEqual([]);
  });

  test("gets the name in the TLS handshake, and none when it has only an address", async () => {
    const instance = await serving({ NGINX_UPSTREAM_TLS_NAME: NAME });
    await pod.get();
    const [request] = instance.requests;
    expect((request?.socket as TLSSocket | undefined)?.servername).toBe(NAME);
    await pod.close();
    pod = await openReloaderPod();
    const other = await serving();
    await pod.get();
    expect((other.requests[0]?.socket as TLSSocket | undefined)?.servername).toBe(false);
  });

  test("with a host name is verified by that name", async () => {
    const instance = await started(verified, secret, true);
    await pod.publish({ generation: 2, server: { ...instance.server, host: "localhost" } });
    await pod.applied(2);
    expect(await pod.get()).toMatchObject({ status: 200, body: "the body" });
  });

  test("with only an address cannot be verified without a name, and the problem says what to set", async () => {
    const instance = await started(verified, secret, true);
    const status = await pod.until("the problem shows", (s) => s.problem?.includes("NGINX_UPSTREAM_TLS_NAME"));
    expect(status.problem).toContain("127.0.0.1 is an address");
    expect((await pod.get()).status).toBe(503);
    expect(instance.requests).toEqual([]);
  });

  test("with authorities that nginx cannot read is rejected with nginx' reason and the setting", async () => {
    const none = join(ROOT, "no-such.pem");
    await started({ ...verified, NGINX_UPSTREAM_TLS_NAME: NAME, NGINX_UPSTREAM_TLS_CA: none }, secret, true);
    const status = await pod.until("the refusal shows", (s) => s.problem?.includes(none));
    expect(status.problem).toContain("set NGINX_UPSTREAM_TLS_CA to a PEM file");
    expect((await pod.get()).status).toBe(503);
  });

  test("gets its requests over one connection, and a new connection resumes the TLS session", async () => {
    const instance = await serving({ ...verified, NGINX_UPSTREAM_TLS_NAME: NAME });
    for (let i = 0; i < 20; i += 1) expect((await pod.get()).status).toBe(200);
    expect(instance.connections.length).toBeLessThanOrEqual(4);
    const resumed = () => instance.requests.some(({ socket }) => (socket as TLSSocket).isSessionReused());
    await until("a later connection resumes an earlier session", async () => {
      for (const { socket } of instance.requests) socket.end();
      await until("the idle connections are closed", () => instance.connections.every(({ destroyed }) => destroyed));
      expect((await pod.get()).status).toBe(200);
      return resumed();
    });
  });
});

test("the instance gets the Host from the settings, and the client's Host is in X-Forwarded-Host", async () => {
  const instance = await started({ NGINX_UPSTREAM_HOST: "app.example:8443" }, (_, r) => r.end("ok"), false);
  await pod.applied(1);
  await pod.raw("GET / HTTP/1.1\r\nHost: pod.example\r\nConnection: close\r\n\r\n");
  expect(instance.requests[0]?.headers).toMatchObject({ host: "app.example:8443", "x-forwarded-host": "pod.example" });
});

describe("the authentication header", () => {
  const ok: Answer = (_, response) => response.end("ok");
  const serving = async (env: Record<string, string>) => {
    const instance = await started(env, ok, false);
    await pod.applied(1);
    return instance;
  };
  const secretPath = () => join(pod.sandbox.folder, "secret");
  const secretIn = (text?: string) => {
    if (text !== undefined) writeFileSync(secretPath(), text);
    return { UPSTREAM_AUTH_HEADER_FILE: secretPath() };
  };
  /** Replaces the file as Kubernetes replaces a mounted secret. */
  const rotate = async (text: string) => {
    await writeFile(`${secretPath()}.new`, `${text}\n`);
    await rename(`${secretPath()}.new`, secretPath());
  };
  const authFiles = async () => (await readdir(pod.files.confFolder)).filter((name) => name.includes(".auth."));
  /** The values that the instance received for that header, one entry for each line. */
  const received = async (instance: Awaited<ReturnType<typeof serving>>, name: string, said = "") => {
    await pod.raw(`GET / HTTP/1.1\r\nHost: h\r\n${said}Connection: close\r\n\r\n`);
    const lines = instance.requests.at(-1)?.rawHeaders ?? [];
    return lines.filter((_, i) => i % 2 === 1 && lines[i - 1]?.toLowerCase() === name.toLowerCase());
  };

  test("reaches the instance instead of a client's header of that name", async () => {
    const instance = await serving({ UPSTREAM_AUTH_HEADER: "Authorization: Bearer hunter22" });
    expect(await received(instance, "authorization")).toEqual(["Bearer hunter22"]);
    const said = "authorization: a client's\r\nAUTHORIZATION: another\r\nAuthorization:\r\n";
    expect(await received(instance, "authorization", said)).toEqual(["Bearer hunter22"]);
  });

  test.each([
    `say "hi" back\\slash\\ dollar $host $ {x} $$ } server { listen 1; } # it's; {`,
    `!"#$%&'()*+,-./:;<=>?@[\\]^_\`{|}~`,
    "\\".repeat(2_000),
  ])("reaches it byte for byte: %s", async (value) => {
    const instance = await serving({ UPSTREAM_AUTH_HEADER: `X-Key: ${value}` });
    expect(await received(instance, "x-key")).toEqual([value]);
  });

  test.each(["!#%&'*+.^_`|~", "x_key"])("can have any name that nginx can send: %s", async (name) => {
    const instance = await serving({ UPSTREAM_AUTH_HEADER: `${name}: v` });
    expect(await received(instance, name, `${name}: a client's\r\n`)).toEqual(["v"]);
  });

  test("follows its file: a new secret is sent, and the old one is removed from the disk", async () => {
    const instance = await serving(secretIn("X-Key: first-secret"));
    expect(await received(instance, "x-key")).toEqual(["first-secret"]);
    const before = (await pod.status()).applied?.hash;
    await rotate("X-Key: second-secret");
    await until("it is sent", async () => (await received(instance, "x-key"))[0] === "second-secret");
    const status = await pod.until("it is applied", (s) => s.applied?.hash !== before);
    expect(status).toMatchObject({ applied: { generation: 1 }, problem: null });
    const [name, ...more] = await until("the former one is gone", async () => {
      const names = await authFiles();
      return names.length === 1 ? names : null;
    });
    expect(more).toEqual([]);
    const path = join(pod.files.confFolder, name ?? "");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(path, "utf8")).toContain("second-secret");
  });

  test("stays in use while its file is invalid, and the problem does not print it", async () => {
    const instance = await serving(secretIn("X-Key: first-secret"));
    for (const text of ["half a hunter22", ""]) {
      await rotate(text);
      const status = await pod.until("the problem shows", (s) => s.problem?.includes("UPSTREAM_AUTH_HEADER"));
      expect(status.problem).not.toContain("hunter22");
      expect(await received(instance, "x-key")).toEqual(["first-secret"]);
    }
    await rm(secretPath());
    await pod.until("its loss shows", (s) => s.problem?.includes("ENOENT"));
    await rotate("X-Key: second-secret");
    await until("it is sent", async () => (await received(instance, "x-key"))[0] === "second-secret");
    await pod.until("all is well", (s) => s.problem === null);
  });

  test("is rolled back too: nginx restarts with the last good config and its secret", async () => {
    const instance = await serving(secretIn("X-Key: first-secret"));
    const bad = join(pod.files.confFolder, "other.conf");
    await writeFile(bad, "no_such_directive;\n");
    await rotate("X-Key: second-secret");
    await pod.until("the refusal shows", (s) => s.refusals > 0);
    expect(await pod.config()).toBe(await readFile(`${pod.configPath}.good`, "utf8"));
    expect(await authFiles()).toHaveLength(2);
    nginx.master.signal("SIGKILL");
    await nginx.master.exited;
    await rm(bad);
    await until("the port is free", () => isFree(pod.proxyPort));
    await pod.startNginx();
    await until("the proxy answers", async () => (await pod.get("/-/live")).status === 200);
    expect(["first-secret", "second-secret"]).toContain((await received(instance, "x-key"))[0]);
    await until("the new one is sent", async () => (await received(instance, "x-key"))[0] === "second-secret");
    await until("only its file is left", async () => (await authFiles()).length === 1);
  });

  test("changes nothing when the reloader starts again", async () => {
    await serving(secretIn("X-Key: first-secret"));
    const [config, reloads] = [await pod.config(), await pod.reloadsOfNginx()];
    reloader.signal("SIGKILL");
    await reloader.exited;
    await pod.startReloader(secretIn());
    await pod.until("all is well", (s) => s.applied?.generation === 1 && s.problem === null);
    expect([await pod.config(), await pod.reloadsOfNginx()]).toEqual([config, reloads]);
  });

  test("is in one file only: not in a log, /status, config, printed config or process list", async () => {
    const env = { ...secretIn("X-Key: hunter22 $a"), DEBUG: "true" };
    const instance = await serving(env);
    await received(instance, "x-key");
    await rotate("X-Key:");
    await pod.until("a problem shows", (s) => s.problem !== null);
    const shown = [
      JSON.stringify(await pod.status()),
      ...[reloader.pid, nginx.master.pid].map((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8")),
      ...reloader.lines,
    ];
    await rotate("X-Key: hunter22 $a");
    await pod.until("all is well", (s) => s.problem === null);
    const args = ["dist/reloader.mjs", "render", "--upstream", pod.upstreamPath];
    const printed = execFileSync(process.execPath, args, { cwd: ROOT, env: pod.reloaderEnv(env), encoding: "utf8" });
    expect(printed).toBe(await pod.config());
    expect(printed).toMatch(/include ".*\.auth\.[0-9a-f]{16}";/);
    const holders: string[] = [];
    for (const [path, text] of await readFolder(pod.sandbox.folder)) {
      if (path !== secretPath() && text.includes("hunter22")) holders.push(path);
    }
    expect(holders).toEqual((await authFiles()).map((name) => join(pod.files.confFolder, name)));
    expect(`${shown.join()}${printed}${reloader.lines.join()}`).not.toContain("hunter22");
  });
});
