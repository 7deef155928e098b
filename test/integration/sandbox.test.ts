import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { startNginx } from "../sandbox/nginx.ts";
import { isFree } from "../sandbox/ports.ts";
import { isRunning } from "../sandbox/process-table.ts";
import { startRedis } from "../sandbox/redis.ts";
import { openSandbox, type Sandbox } from "../sandbox/sandbox.ts";
import { until } from "../sandbox/until.ts";

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await openSandbox();
});
afterEach(() => sandbox.close());

const site = (port: number, text: string) => `server { listen 127.0.0.1:${port}; return 200 "${text}"; }\n`;
const body = async (port: number) => (await fetch(`http://127.0.0.1:${port}/`)).text();

test("nginx starts without a server and serves one after a reload", async () => {
  const port = await sandbox.port();
  const nginx = await startNginx(sandbox);
  await writeFile(join(nginx.confFolder, "default.conf"), site(port, "hello"));
  nginx.master.signal("SIGHUP");
  expect(await until("nginx answers", () => body(port))).toBe("hello");
});

test("nginx can log to /dev/stdout, which goes to a file", async () => {
  const port = await sandbox.port();
  const nginx = await startNginx(sandbox);
  const text = site(port, "logged").replace("{", "{ access_log /dev/stdout;");
  await writeFile(join(nginx.confFolder, "default.conf"), text);
  nginx.master.signal("SIGHUP");
  await until("nginx answers", () => body(port));
  await until("the request is logged", async () => (await readFile(nginx.stdout, "utf8")).includes('"GET / HTTP/1.1"'));
});

test("a config that nginx rejects is an error that says why", async () => {
  const folder = await sandbox.subfolder("nginx/conf.d");
  await writeFile(join(folder, "bad.conf"), "no_such_directive;\n");
  await expect(startNginx(sandbox)).rejects.toThrow(/unknown directive "no_such_directive"/);
});

test("the workers of a killed nginx are killed too, and it can be started again on the same port", async () => {
  const port = await sandbox.port();
  const nginx = await startNginx(sandbox);
  await writeFile(join(nginx.confFolder, "default.conf"), site(port, "hello"));
  nginx.master.signal("SIGHUP");
  await until("nginx answers", () => body(port));
  nginx.master.signal("SIGKILL");
  expect(await nginx.master.exited).toEqual({ code: null, signal: "SIGKILL" });
  await until("the port is free", () => isFree(port));
  await startNginx(sandbox);
  expect(await until("nginx answers again", () => body(port))).toBe("hello");
});

test("redis-server answers once startRedis resolves", async () => {
  const redis = await startRedis(sandbox);
  expect(redis.server.exit()).toBeNull();
  expect(await isFree(redis.port)).toBe(false);
});

test("the lines of a Node program are kept in order, and it inherits no other environment", async () => {
  const script = "console.log(Object.keys(process.env).sort().join()); console.error('two'); process.exitCode = 3";
  const child = await sandbox.node("talker", ["-e", script], { GIVEN: "1" });
  expect(await child.exited).toEqual({ code: 3, signal: null });
  expect([...child.lines].sort()).toEqual(["GIVEN,HOME,PATH,TMPDIR", "two"]);
});

test("a process that ignores SIGTERM is killed with its children after the grace", async () => {
  const script =
    "process.on('SIGTERM', () => {}); const c = require('child_process').spawn('sleep', ['600']); console.log(c.pid); setInterval(() => {}, 1000)";
  const child = await sandbox.node("stubborn", ["-e", script]);
  const grandchild = Number(await until("it has a child", () => child.lines[0]));
  expect(await child.stop(50)).toEqual({ code: null, signal: "SIGKILL" });
  expect(isRunning(child.pid) || isRunning(grandchild)).toBe(false);
});

test("a missing program is an error with its name", async () => {
  await expect(sandbox.start({ name: "ghost", program: "/no/such/ghost", args: [] })).rejects.toThrow(
    /ghost does not exist/,
  );
  await expect(sandbox.start({ name: "ghost", program: "no-such-ghost", args: [] })).rejects.toThrow(/not installed/);
});

test("closing leaves no process, no folder and no port", async () => {
  const nginx = await startNginx(sandbox);
  const redis = await startRedis(sandbox);
  await sandbox.close();
  expect(isRunning(nginx.master.pid) || isRunning(redis.server.pid)).toBe(false);
  expect(existsSync(sandbox.folder)).toBe(false);
  expect(await isFree(redis.port)).toBe(true);
});

test("two sandboxes get different ports", async () => {
  const other = await openSandbox();
  try {
    const ports = await Promise.all([sandbox, sandbox, other, other].map((one) => one.port()));
    expect(new Set(ports).size).toBe(4);
  } finally {
    await other.close();
  }
});

/** A process that opens another sandbox, starts an nginx in it and then runs `end`. */
async function startOwner(end: string) {
  const module = (name: string) => JSON.stringify(new URL(`../sandbox/${name}`, import.meta.url).href);
  const script = `const { openSandbox } = await import(${module("sandbox.ts")});
    const { startNginx } = await import(${module("nginx.ts")});
    const sandbox = await openSandbox();
    const nginx = await startNginx(sandbox);
    console.log(JSON.stringify({ folder: sandbox.folder, pid: nginx.master.pid }));
    ${end}`;
  const owner = await sandbox.node("owner", ["--import", "tsx", "--input-type=module", "-e", script], {
    TMPDIR: await sandbox.subfolder("inner"),
    HOME: process.env.HOME ?? "/", // where setup.sh keeps nginx for users without root
  });
  // Loading TypeScript takes long on a busy machine.
  const slow = { timeoutMs: 60_000, context: () => owner.lines.join("\n") };
  const line = await until("nginx runs", () => owner.lines.find((one) => one.startsWith("{")), slow);
  const { folder, pid } = z.object({ folder: z.string(), pid: z.number() }).parse(JSON.parse(line));
  return { owner, folder, pid };
}

test("the sandbox of a process that exits without closing it is cleaned up", async () => {
  const { owner, folder, pid } = await startOwner('throw new Error("on purpose");');
  expect((await owner.exited).code).toBe(1);
  expect(folder).toContain(sandbox.folder);
  expect(existsSync(folder)).toBe(false);
  await until("its nginx is gone", () => !isRunning(pid));
});

test("the sandboxed processes of a process that is killed with SIGKILL end too", async () => {
  const { owner, pid } = await startOwner("setInterval(() => {}, 1000);");
  expect(isRunning(pid)).toBe(true);
  owner.signal("SIGKILL");
  await until("its nginx is gone", () => !isRunning(pid));
});
