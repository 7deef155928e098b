import { execFileSync } from "node:child_process";
import { lstat, mkdir, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { afterEach, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { type ReloaderPod, servingPod } from "./reloader-pod.ts";

let pod: ReloaderPod;
afterEach(() => pod.close());

const things: [string, (path: string) => Promise<unknown>][] = [
  ["a named pipe", async (path) => execFileSync("mkfifo", [path])],
  ["a sparse file of 3 GB", (path) => writeFile(path, "").then(() => truncate(path, 3e9))],
  ["a link to a device", (path) => symlink("/dev/zero", path)],
  ["a folder with files", (path) => mkdir(`${path}/inside`, { recursive: true })],
];

test.each(things)("whatever lies in the place of the config is replaced, also at a restart: %s", async (_, put) => {
  const started = await servingPod();
  pod = started.pod;
  const isConfig = async (path: string) => (await lstat(path)).isFile() && (await lstat(path)).size < 100_000;
  started.reloader.signal("SIGSTOP"); // otherwise it may write the config between these two
  await rm(pod.configPath);
  await put(pod.configPath);
  started.reloader.signal("SIGCONT");
  await until("the config is back", () => isConfig(pod.configPath));
  const paths = [pod.configPath, `${pod.configPath}.good`, `${pod.configPath}.state.json`];
  started.reloader.signal("SIGKILL");
  await started.reloader.exited;
  for (const path of paths) {
    await rm(path, { force: true, recursive: true });
    await put(path);
  }
  // It may be told to load its config at that moment, and would wait in the open of a pipe.
  started.nginx.master.signal("SIGHUP");
  await pod.startReloader();
  await pod.applied(1);
  expect(await isConfig(pod.configPath)).toBe(true);
  expect(await isConfig(`${pod.configPath}.good`)).toBe(true);
  expect((await pod.get()).body).toBe("first");
  await pod.publish({ generation: 2, server: null });
  await pod.applied(2);
  expect((await pod.get()).body).toContain("vast-pod-0");
});

test("an upstream folder that is gone at a restart, with the good copy, does not take the served instance off", async () => {
  const started = await servingPod();
  pod = started.pod;
  started.reloader.signal("SIGKILL");
  await started.reloader.exited;
  await rm(dirname(pod.upstreamPath), { recursive: true });
  await rm(`${pod.configPath}.good`);
  const config = await pod.config();
  await pod.startReloader();
  const status = await pod.until("it is proven", (s) => s.applied !== null);
  expect(status.applied?.server).toEqual(started.first.server);
  expect(status.problem).toContain("the upstream file is gone");
  expect(await pod.config()).toBe(config);
  expect((await pod.get()).body).toBe("first");
  await mkdir(dirname(pod.upstreamPath));
  await pod.publish({ generation: 2, server: null });
  expect((await pod.applied(2)).problem).toBeNull();
  expect((await pod.get()).status).toBe(503);
});
