// A volume of upstream.json on which nothing can be written at all, when the instance that is served dies.
import { chmod } from "node:fs/promises";
import { dirname } from "node:path";
import { afterEach, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { logOf, openPod, type Pod } from "./pod.ts";

let pod: Pod;
afterEach(() => pod.close());

test("a dead server on a read-only volume stays in nginx, the provisioner says what to do, and goes on when it can write", async () => {
  pod = await openPod({ proxy: true });
  const provisioner = await pod.provisionAsOrdinaryUser();
  const { server, instance } = await pod.ready();
  await until("nginx serves it", async () => (await fetch(`${pod.proxyUrl}/-/ready`)).status === 200);
  expect(await pod.metric("vast_pod_files_writable")).toBe("1");
  // A write replaces the file; a full volume still takes a write into it. A read-only one takes neither.
  await chmod(dirname(pod.upstreamPath), 0o555);
  await chmod(pod.upstreamPath, 0o444);
  await pod.emulator.event("any", "kill");
  const slow = { timeoutMs: 60_000, context: () => provisioner.lines.slice(-10).join("\n") };
  await until("the problem shows", async () => String((await pod.status()).problem).includes("nginx routes to"), slow);
  const status = await pod.status();
  expect(status.problem).toMatch(/EACCES.*upstream\.json.*Make the volumes of STATE_PATH and UPSTREAM_PATH writable/);
  expect(status.problem).toContain(`nginx routes to ${server?.host}:${server?.port} and the pod stays ready`);
  expect(status.problem).toContain("delete the pod to get new volumes");
  expect(await pod.metric("vast_pod_files_writable")).toBe("0");
  expect(logOf(provisioner).some(({ event, level }) => event === "disk" && level === "error")).toBe(true);
  // As the message says.
  expect((await fetch(`${pod.proxyUrl}/-/ready`)).status).toBe(200);
  expect((await fetch(pod.proxyUrl)).status).toBe(502);
  expect(await pod.emulator.live(pod.label)).toEqual([]);

  await chmod(dirname(pod.upstreamPath), 0o755);
  await chmod(pod.upstreamPath, 0o644);
  const next = await pod.until("another instance serves", (f) => f.server && f.instance?.id !== instance?.id, 60_000);
  await until("nginx serves it", async () => (await fetch(pod.proxyUrl)).status === 200);
  expect((await pod.emulator.live(pod.label)).map(({ id }) => id)).toEqual([next.instance?.id]);
  await until("no problem is left", async () => (await pod.status()).problem === null);
  expect(await pod.metric("vast_pod_files_writable")).toBe("1");
});
