// Twenty pods with one key, one address and one Redis: they take turns. Their cold start, a new image, and a Redis that forgets everything.
import { expect, test } from "vitest";
import { coldStart } from "./cold-start.ts";
import type { Truth } from "./emulator-truth.ts";
import { HOLD_PROBES_MS } from "./held-probes.ts";
import type { Injection, Scenario } from "./scenario.ts";
import { MINUTE_MS, scenarioWith } from "./scenario-with.ts";
import { type RunResult, simulate } from "./simulation.ts";

const PODS = 20;
const WITH_REDIS = { env: { BLACKLIST_ENABLED: "true" } };
// The API allows one create in 4.5 s; before the first one, "none" is confirmed for 10 s.
const FLOOR_SECONDS = PODS * 4.5 + 13;

const fleet = (injections: Injection[], minutes: number, more: Partial<Scenario> = {}) =>
  scenarioWith(injections, { pods: PODS, hours: minutes / 60, faultyMinutes: minutes - 1, ...WITH_REDIS, ...more });

const refused = ({ requests }: RunResult) => requests.filter(({ status }) => status === 429).length;

/** The most pods at one instant within [from, to] that had served before and did not serve then. */
function mostDown(truth: Truth, from: number, to: number): number {
  const changes = truth.pods.flatMap((pod) => pod.serving.flatMap(({ from: up, to: down }) => [up, down]));
  const at = changes.filter((instant) => instant >= from && instant < to);
  const down = (instant: number) =>
    truth.pods.filter((pod) => !pod.serving.some((span) => span.from <= instant && instant < span.to)).length;
  return Math.max(...at.map(down));
}

/** From the end of the service until the next instance was created, for each of them. */
function withoutInstanceMs({ pods, contracts }: Truth): number[] {
  const created = new Map(contracts.map(({ id, createdAt }) => [id, createdAt]));
  return pods.flatMap(({ serving }) =>
    serving.slice(1).map(({ id }, i) => (created.get(id) ?? 0) - (serving[i]?.to ?? 0)),
  );
}

test("a cold start is refused no call, and follows the limit of the creates", async () => {
  const start = await coldStart(PODS, 1, {}, WITH_REDIS);
  expect(start).toMatchObject({ made: PODS, refused: 0 });
  expect(start.lastCreateSeconds).toBeLessThan(1.06 * FLOOR_SECONDS);
});

test("a new image takes down at most a tenth of the pods at once, each for its boot and 20 s, and all get it", async () => {
  const image: Injection = { kind: "image", at: 8 * MINUTE_MS, image: "example/app:2", losesDisk: false };
  const run = await simulate(fleet([image], 45), { startsAt: () => 0, holdProbesMs: HOLD_PROBES_MS });
  const { truth } = run;
  expect(refused(run)).toBe(0);
  expect(mostDown(truth, truth.start + 8 * MINUTE_MS, truth.end)).toBe(2);
  for (const pod of truth.pods) {
    const last = truth.contracts.find(({ id }) => id === pod.serving.at(-1)?.id);
    expect(last?.createdAt).toBeGreaterThan(pod.imageChanges.at(-1) ?? truth.end);
  }
  expect(truth.creates).toHaveLength(2 * PODS);
  expect(Math.max(...withoutInstanceMs(truth))).toBeLessThan(20_000);
});

test.each([12, 60])("a Redis that is flushed after %i s costs at most 10 s and no refused call", async (seconds) => {
  const flush: Injection = { kind: "redis-flush", at: seconds * 1000 };
  const quiet = await simulate(fleet([], 10), { startsAt: () => 0, holdProbesMs: HOLD_PROBES_MS });
  const flushed = await simulate(fleet([flush], 10), { startsAt: () => 0, holdProbesMs: HOLD_PROBES_MS });
  const lastCreate = ({ truth }: RunResult) => Math.max(...truth.creates.map(({ at }) => at)) - truth.start;
  expect(refused(flushed)).toBe(0);
  expect(flushed.truth.creates).toHaveLength(PODS);
  expect(lastCreate(flushed)).toBeLessThan(lastCreate(quiet) + 10_000);
});

test("a Redis that forgets everything while an image is rolled out lets no more pods go down", async () => {
  const image: Injection = { kind: "image", at: 4 * MINUTE_MS, image: "example/app:2", losesDisk: false };
  const flushes = [5, 5.5, 6, 6.5, 7].map((minute): Injection => ({ kind: "redis-flush", at: minute * MINUTE_MS }));
  const { truth } = await simulate(fleet([image, ...flushes], 20, { pods: 10 }), {
    startsAt: () => 0,
    holdProbesMs: HOLD_PROBES_MS,
  });
  expect(mostDown(truth, truth.start + 4.5 * MINUTE_MS, truth.end)).toBe(1);
});
