// nginx stops routing to a dead instance within 20 s and routes to it again soon after it is back, whatever the API does.
import { afterEach, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { openPod, type Pod } from "./pod.ts";

let pod: Pod;
afterEach(() => pod.close());

const LIMIT_MS = 20_000;

async function servingPod() {
  pod = await openPod({ proxy: true, timeScale: 1, bootSeconds: 0.5 });
  await pod.provision();
  const { instance } = await pod.ready();
  await until("the proxy is ready", async () => (await readiness()) === 200);
  return instance?.id ?? 0;
}

const readiness = async () => (await fetch(`${pod.proxyUrl}/-/ready`)).status;

/** How long it takes until nginx' readiness has the status. */
const takes = (status: number) => measured(`the readiness is ${status}`, async () => (await readiness()) === status);

async function measured(what: string, condition: () => Promise<boolean>): Promise<number> {
  const began = performance.now();
  await until(what, condition, { timeoutMs: 40_000, everyMs: 100 });
  return performance.now() - began;
}

/** Whether nginx answers for itself or with another instance. A muted instance does not answer at all. */
async function isDropped(id: number): Promise<boolean> {
  const answer = await fetch(pod.proxyUrl, { signal: AbortSignal.timeout(1000) }).catch(() => null);
  if (answer === null) return false;
  await answer.body?.cancel();
  const answeredBy = answer.headers.get("x-instance");
  return answeredBy === null ? answer.status === 503 : answeredBy !== String(id);
}

const fault = (method: string, path: string, effect: object) =>
  pod.emulator.send("POST", "faults", { method, path, times: 0, effect });

test("while the instance list arrives byte by byte, a dead instance is dropped and a living one comes back", async () => {
  const id = await servingPod();
  await fault("GET", "^/api/v1/instances/", { kind: "slow-body", bytesPerSecond: 20 });
  await pod.emulator.event(id, "mute");
  expect(await takes(503)).toBeLessThan(LIMIT_MS);
  await pod.emulator.event(id, "unmute");
  expect(await takes(200)).toBeLessThan(LIMIT_MS);
  expect((await pod.emulator.mutations()).filter(({ method }) => method === "DELETE")).toEqual([]);
});

test("while the API refuses to destroy a duplicate, a dead instance is dropped", async () => {
  const id = await servingPod();
  await fault("DELETE", "^/api/v0/instances/", { kind: "answer", status: 429, body: "API requests too frequent" });
  await pod.emulator.send("POST", "instances", { label: pod.label, image_uuid: "example/app:2" });
  await until(
    "the duplicate is being destroyed",
    async () => (await pod.emulator.mutations()).some(({ method }) => method === "DELETE"),
    { timeoutMs: 60_000 },
  );
  expect(await isDropped(id)).toBe(false);
  await pod.emulator.event(id, "mute");
  // The duplicate, which could not be destroyed either, may serve at once.
  expect(await measured("the dead instance is dropped", () => isDropped(id))).toBeLessThan(LIMIT_MS);
});
