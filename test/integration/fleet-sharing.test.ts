// Several provisioners with one key and one real Redis: what one of them has read of the API, the others need not read.
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readIfExists } from "../../common/atomic-file.ts";
import { parseUpstreamFile } from "../../common/upstream-file.ts";
import { until } from "../sandbox/until.ts";
import { openPod, type Pod } from "./pod.ts";

const PODS = 6;
let pod: Pod;

beforeEach(async () => {
  // A pod waits 4 s of its own time for another one's reading: at a high speed that would be no time on a busy machine.
  pod = await openPod({ redis: true, timeScale: 2 });
});
afterEach(() => pod.close());

/** Starts the provisioner of one more pod; answers whether its instance serves. */
async function startOne(number: number) {
  const folder = await pod.sandbox.subfolder(`pod-${number}`);
  const upstreamPath = join(folder, "upstream.json");
  await pod.provision({
    POD_NAME: `vast-pod-${number}`,
    UPSTREAM_PATH: upstreamPath,
    STATE_PATH: join(folder, "provisioner.json"),
    PROVISIONER_STATUS_PORT: String(await pod.sandbox.port()),
  });
  return async () => {
    const text = await readIfExists(upstreamPath);
    const parsed = text === null ? null : parseUpstreamFile(text);
    return parsed?.ok === true && parsed.file.server !== null;
  };
}

/** Starts all pods, waits until they serve, and counts the calls of each path. */
async function callsOfStart(): Promise<(path: RegExp) => number> {
  const serving = await Promise.all(Array.from({ length: PODS }, (_, i) => startOne(i)));
  await until("all pods serve", async () => (await Promise.all(serving.map((one) => one()))).every(Boolean), {
    timeoutMs: 100_000,
  });
  const requests = await pod.emulator.requests();
  return (path) => requests.filter((request) => path.test(`${request.method} ${request.path}`)).length;
}

/** The keys in Redis that never expire. An account that is no longer used must leave nothing behind. */
async function keysForEver(): Promise<string[]> {
  const redis = new Redis(pod.redis?.url ?? "");
  const keys = await redis.keys("*");
  expect(keys.length).toBeGreaterThan(20);
  const left = await Promise.all(keys.map((key) => redis.pttl(key)));
  redis.disconnect();
  return keys.filter((_, i) => left[i] === -1);
}

test("six pods read the account, its template and its market a few times, not six times each, and leave no key for ever", async () => {
  const calls = await callsOfStart();
  expect(calls(/^PUT .*\/asks\//)).toBe(PODS);
  expect(calls(/users\/current/)).toBeLessThanOrEqual(3);
  expect(calls(/\/template\//)).toBeLessThanOrEqual(3);
  expect(calls(/\/bundles\//)).toBeLessThanOrEqual(3);
  expect(await keysForEver()).toEqual([]);
});
