import { expect, test } from "vitest";
import {
  awaitedLookMs,
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
  expect(FLEETS.map(awaitedLookMs)).toEqual([500, 500, 500, 500, 500, 500, 1000]);
});

test("what a pod knows of the leader counts until it looks again", () => {
  expect(FLEETS.map(leaderCountsMs)).toEqual([10_000, 10_000, 10_000, 15_000, 30_000, 40_000, 40_000]);
  for (const pods of FLEETS) expect(leaderCountsMs(pods)).toBeGreaterThanOrEqual(2 * settledLookMs(pods));
});
