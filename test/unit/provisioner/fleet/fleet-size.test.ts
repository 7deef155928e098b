import { expect, test } from "vitest";
import {
  awaitedLookMs,
  confirmingLookMs,
  leaderCountsMs,
  settledLookMs,
  startingLookMs,
} from "../../../../provisioner/fleet/fleet-size.ts";

const FLEETS = [0, 1, 16, 30, 60, 80, 1000];

test("the pods of a large fleet look less often, and no pod less often than every 15 s", () => {
  expect(FLEETS.map(settledLookMs)).toEqual([4000, 4000, 4000, 7500, 15_000, 15_000, 15_000]);
});

test("the pods of a fleet that starts look less often only when there are hundreds", () => {
  expect(FLEETS.map(startingLookMs)).toEqual([0, 4, 64, 120, 240, 320, 4000]);
  expect(FLEETS.map(confirmingLookMs)).toEqual([0, 20, 320, 600, 1200, 1600, 10_000]);
});

test("who waits for a fresh list looks soon at first, and then less often", () => {
  expect(FLEETS.map((pods) => awaitedLookMs(pods, 0))).toEqual([500, 500, 500, 500, 500, 500, 1000]);
  expect([0, 1, 2, 3, 100].map((looks) => awaitedLookMs(1000, looks))).toEqual([1000, 1500, 2250, 3000, 3000]);
});

test("what a pod knows of the leader counts until it looks again", () => {
  expect(FLEETS.map(leaderCountsMs)).toEqual([10_000, 10_000, 10_000, 15_000, 30_000, 40_000, 40_000]);
  for (const pods of FLEETS) expect(leaderCountsMs(pods)).toBeGreaterThanOrEqual(2 * settledLookMs(pods));
});
