import { expect, test } from "vitest";
import { faultMix } from "./fault-mix.ts";
import { simulate } from "./simulation.ts";

const SIZE = { hours: 1.5, pods: 3 };

test("the same seed gives the same run, byte for byte: calls, answers, files, log lines and events", async () => {
  const first = await simulate(faultMix(11, SIZE), { timeline: true });
  const again = await simulate(faultMix(11, SIZE), { timeline: true });
  expect(again.timeline).toEqual(first.timeline);
  expect(again.hash).toBe(first.hash);
  expect(first.timeline.length).toBeGreaterThan(100);
});

test("whether the timeline is kept makes no difference to the run", async () => {
  const kept = await simulate(faultMix(12, SIZE), { timeline: true });
  const notKept = await simulate(faultMix(12, SIZE));
  expect(notKept.timeline).toEqual([]);
  expect(notKept.hash).toBe(kept.hash);
});

test("another seed gives another run", async () => {
  const one = await simulate(faultMix(11, SIZE));
  const other = await simulate(faultMix(12, SIZE));
  expect(other.hash).not.toBe(one.hash);
});
