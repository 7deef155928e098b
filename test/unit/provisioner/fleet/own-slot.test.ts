import { expect, test } from "vitest";
import { ownSlotAt, ownSlotWaitMs, podNumber, slotAmongMany } from "../../../../provisioner/fleet/own-slot.ts";

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

test("a pod may use only one of several of its slots, and no two of a small fleet use it in the same round", () => {
  const rounds = Array.from({ length: 10 }, (_, index) => ownSlotWaitMs(index, 10, 5000, 1_000_000_000, 20));
  expect(new Set(rounds.map((waitMs) => Math.floor(waitMs / 50_000))).size).toBeGreaterThanOrEqual(9);
  for (const [index, waitMs] of rounds.entries()) {
    const at = 1_000_000_000 + waitMs;
    expect(ownSlotWaitMs(index, 10, 5000, at)).toBe(0);
    expect(ownSlotWaitMs(index, 10, 5000, at + 1000, 20)).toBe(20 * 50_000 - 1000);
  }
});

test("the slot after an instant is in the round of the fleet's last size, which only a fleet of more than ten has", () => {
  const own = { index: 3, pods: () => 20, redisIsAway: () => true };
  const at = ownSlotAt(own, 5000, 1_000_000_000);
  expect(at - 1_000_000_000).toBe(ownSlotWaitMs(3, 20, 5000, 1_000_000_000));
  expect([slotAmongMany(own), slotAmongMany({ ...own, pods: () => 10 }), slotAmongMany(null)]).toEqual([
    own,
    null,
    null,
  ]);
});

test("there are at least ten slots, because the size of the fleet may not be known", () => {
  const start = 1_000_000_000 + ownSlotWaitMs(0, 0, 5000, 1_000_000_000);
  expect(ownSlotWaitMs(0, 0, 5000, start + 1000)).toBe(49_000);
});

test("a pod's number counts from one of its set's name, so that the first pods of many sets do not have one slot", () => {
  expect(podNumber("vast-pod-12") - podNumber("vast-pod-0")).toBe(12);
  expect(new Set(["a-0", "b-0", "c-0"].map((name) => podNumber(name) % 50)).size).toBe(3);
  expect(podNumber("web-7d9f")).toBe(podNumber("web-7d9f"));
  expect(podNumber("web-7d9f")).not.toBe(podNumber("web-7d9e"));
});
