import { expect, test } from "vitest";
import {
  awaitedLookMs,
  confirmingLookMs,
  leaderCountsMs,
  settledLookMs,
  spreadMs,
  startingLookMs,
  unknownLookMs,
  waitingLookMs,
} from "../../../../provisioner/fleet/fleet-size.ts";

const FLEETS = [0, 1, 16, 30, 60, 80, 1000];

test("the pods of a large fleet look less often, and no pod less often than every 20 s", () => {
  expect(FLEETS.map(settledLookMs)).toEqual([4000, 4000, 4000, 7500, 15_000, 20_000, 20_000]);
});

test("the pods of a fleet that starts look less often only when there are hundreds", () => {
  expect(FLEETS.map(startingLookMs)).toEqual([0, 4, 64, 120, 240, 320, 4000]);
  expect(FLEETS.map(confirmingLookMs)).toEqual([0, 20, 320, 600, 1200, 1600, 14_000]);
});

test("who waits for a fresh list looks soon at first, and then less often", () => {
  expect(FLEETS.map((pods) => awaitedLookMs(pods, 0))).toEqual([500, 500, 500, 500, 500, 500, 2000]);
  expect([0, 1, 2, 3, 100].map((looks) => awaitedLookMs(1000, looks))).toEqual([2000, 3000, 4500, 6000, 6000]);
});

test("what a pod knows of the leader counts until it looks again", () => {
  expect(FLEETS.map(leaderCountsMs)).toEqual([10_000, 10_000, 10_000, 15_000, 30_000, 40_000, 60_000]);
  for (const pods of FLEETS) expect(leaderCountsMs(pods)).toBeGreaterThanOrEqual(2 * settledLookMs(pods));
});

test("a pod that waits for its turn without an instance looks half as often, and what it knows of the leader counts until then", () => {
  for (const pods of FLEETS.slice(1)) expect(waitingLookMs(pods)).toBe(2 * settledLookMs(pods));
  expect(leaderCountsMs(1000)).toBeGreaterThan(waitingLookMs(1000));
});

test("a pod whose list is unknown looks in each pass, and each 10 s when there are a thousand", () => {
  expect([1, 20, 200, 1000].map(unknownLookMs)).toEqual([0, 0, 2000, 10_000]);
});

test("what may wait is spread over more time the more pods there are, up to its whole time", () => {
  expect([0, 20, 50, 500, 1000, 5000].map((pods) => spreadMs(pods, 60_000))).toEqual([
    0, 0, 3000, 30_000, 60_000, 60_000,
  ]);
});
