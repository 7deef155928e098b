import { expect, test } from "vitest";
import { faultMix } from "./fault-mix.ts";
import { simulate } from "./simulation.ts";

const SIZE = { hours: 1.5, pods: 3 };

const keptRuns = new Map<number, ReturnType<typeof simulate>>();
/** The run of a seed with its timeline, run once for all tests. */
function keptRun(seed: number) {
  const run = keptRuns.get(seed) ?? simulate(faultMix(seed, SIZE), { timeline: true });
  keptRuns.set(seed, run);
  return run;
}

test("the same seed gives the same run, byte for byte: calls, answers, files, log lines and events", async () => {
  const first = await keptRun(11);
  const again = await simulate(faultMix(11, SIZE), { timeline: true });
  expect(again.timeline).toEqual(first.timeline);
  expect(again.hash).toBe(first.hash);
  expect(first.timeline.length).toBeGreaterThan(100);
});

test("whether the timeline is kept makes no difference to the run", async () => {
  const kept = await keptRun(12);
  const notKept = await simulate(faultMix(12, SIZE));
  expect(notKept.timeline).toEqual([]);
  expect(notKept.hash).toBe(kept.hash);
});

test("another seed gives another run", async () => {
  const [one, other] = [await keptRun(11), await keptRun(12)];
  expect(other.hash).not.toBe(one.hash);
});
