// With STAY_UP, as in the images, a program that cannot start waits for a person: it says why, and goes on when it can.
import { rename, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { openPod, type Pod } from "./pod.ts";

let pod: Pod;
beforeEach(async () => {
  pod = await openPod();
});
afterEach(() => pod.close());

const ask = async (port: string, path: string) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return { code: response.status, text: await response.text() };
};

test("a secret that is missing is reported on /status, and the provisioner starts when it is there", async () => {
  const login = join(pod.sandbox.folder, "login");
  const port = String(await pod.sandbox.port());
  const env = { STAY_UP: "true", DOCKER_LOGIN: "", DOCKER_LOGIN_FILE: login, PROVISIONER_STATUS_PORT: port };
  const child = await pod.provision(env);
  const status = await until("it reports", async () => JSON.parse((await ask(port, "/status")).text) as object);
  expect(status).toMatchObject({ state: "blocked", reason: "cannot_start" });
  expect(JSON.stringify(status)).toContain(`DOCKER_LOGIN_FILE is \\"${login}\\"`);
  expect(child.exit()).toBeNull();
  // In one step: a start that reads an empty file reports something else.
  await writeFile(`${login}.new`, "none\n");
  await rename(`${login}.new`, login);
  await pod.ready();
  expect(child.lines.filter((line) => line.includes('"cannot_start"'))).toHaveLength(1);
});

test("a reloader whose settings are wrong is alive, not ready, and ends at SIGTERM", async () => {
  const port = String(await pod.sandbox.port());
  const reloader = await pod.sandbox.node("reloader", ["dist/reloader.mjs"], {
    STAY_UP: "true",
    RELOADER_STATUS_PORT: port,
    NGINX_LISTEN_PORT: "many",
  });
  const ready = await until("it reports", () => ask(port, "/readyz"));
  expect(ready).toEqual({ code: 503, text: expect.stringContaining('NGINX_LISTEN_PORT is "many"') });
  expect((await ask(port, "/livez")).code).toBe(200);
  reloader.signal("SIGTERM");
  expect((await reloader.exited).signal).toBeNull();
});

test("a status port that another program holds is waited for", async () => {
  const port = await pod.sandbox.port();
  const other = createServer();
  await new Promise<void>((listening) => other.listen(port, listening));
  const child = await pod.provision({ STAY_UP: "true", PROVISIONER_STATUS_PORT: String(port) });
  await until("it says so", () => child.lines.some((line) => line.includes("PROVISIONER_STATUS_PORT")));
  await new Promise((closed) => other.close(closed));
  await pod.ready(40_000);
  expect(child.exit()).toBeNull();
});
