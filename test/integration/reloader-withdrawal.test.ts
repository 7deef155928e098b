import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { type ReloaderPod, servingPod } from "./reloader-pod.ts";

let pod: ReloaderPod;
afterEach(() => pod.close());
const serving = async () => {
  const started = await servingPod();
  pod = started.pod;
  return started;
};

test("a withdrawal is never undone while nginx' master is stopped, and takes effect when it continues", async () => {
  const { nginx, first } = await serving();
  const named = `127.0.0.1:${first.server.port}`;
  nginx.master.signal("SIGSTOP");
  await pod.publish({ generation: 2, server: null });
  await until("the config names no server", async () => !(await pod.config()).includes(named));
  const status = await pod.until("the stopped master shows", (s) => s.problem?.includes("has not taken the signal"));
  expect(status).toMatchObject({ applied: { generation: 1 }, refusals: 0 });
  expect(await pod.config()).not.toContain(named);
  nginx.master.signal("SIGCONT");
  await pod.applied(2);
  expect((await pod.get()).status).toBe(503);
});

test("a withdrawal does not wait behind a reload that is stuck", async () => {
  const { nginx } = await serving();
  nginx.master.signal("SIGSTOP");
  await pod.publish({ generation: 2, server: { scheme: "http", host: "127.0.0.1", port: 9 } });
  await until("the reload has begun", async () => (await pod.config()).includes("127.0.0.1:9 "));
  const before = performance.now();
  await pod.publish({ generation: 3, server: null });
  await until("the config names no server", async () => !(await pod.config()).includes("127.0.0.1:9 "));
  expect(performance.now() - before).toBeLessThan(5_000);
  nginx.master.signal("SIGCONT");
  await pod.applied(3);
});

test("a withdrawal that nginx refuses is not undone, and a restart of the reloader does not undo it either", async () => {
  const { reloader, first } = await serving();
  const named = `127.0.0.1:${first.server.port}`;
  const bad = join(pod.files.confFolder, "other.conf");
  await writeFile(bad, "no_such_directive;\n");
  await pod.publish({ generation: 2, server: null });
  await pod.until("the refusal shows", (s) => s.refusals > 0);
  expect(await pod.config()).not.toContain(named);
  reloader.signal("SIGKILL");
  await reloader.exited;
  await rm(pod.upstreamPath);
  await pod.startReloader();
  await pod.until("it is up", (s) => s.lastPassAt);
  expect(await pod.config()).not.toContain(named);
  await rm(bad);
  await pod.until("no server is applied", (s) => s.applied !== null && s.applied.server === null);
  expect((await pod.get()).status).toBe(503);
});
