import { expect, test } from "vitest";
import { ownSlotWaitMs, podNumber } from "../../../../provisioner/fleet/own-slot.ts";

test("every pod of a fleet has its own slot, one after another, in each round", () => {
  const starts = Array.from({ length: 30 }, (_, index) => ownSlotWaitMs(index, 30, 5000, 1_000_000_000));
  const sorted = [...starts].sort((a, b) => a - b);
  expect(sorted.slice(1).map((at, i) => at - (sorted[i] ?? 0))).toEqual(Array.from({ length: 29 }, () => 5000));
});

test("a slot is open for a second, then the next one is a round away", () => {
  const waitMs = ownSlotWaitMs(3, 20, 5000, 1_000_000_000);
  const start = 1_000_000_000 + waitMs;
  expect(ownSlotWaitMs(3, 20, 5000, start)).toBe(0);
  expect(ownSlotWaitMs(3, 20, 5000, start + 999)).toBe(0);
  expect(ownSlotWaitMs(3, 20, 5000, start + 1000)).toBe(20 * 5000 - 1000);
});

test("there are at least ten slots, because the size of the fleet may not be known", () => {
  const start = 1_000_000_000 + ownSlotWaitMs(0, 0, 5000, 1_000_000_000);
  expect(ownSlotWaitMs(0, 0, 5000, start + 1000)).toBe(49_000);
});

test("a pod's number is that of its set, or one from its name", () => {
  expect(podNumber("vast-pod-12")).toBe(12);
  expect(podNumber("web-7d9f")).toBe(podNumber("web-7d9f"));
  expect(podNumber("web-7d9f")).not.toBe(podNumber("web-7d9e"));
});
