import { expect, test } from "vitest";
import { accountBlocked, createdAs, deleteConfirmed } from "../../../../provisioner/state/apply-outcome.ts";
import { clampTimestamps } from "../../../../provisioner/state/clamp-timestamps.ts";
import { endRefused, mustRehearse, rehearsed, writeRefused } from "../../../../provisioner/state/refused-end.ts";
import { HOUR, MINUTE, NOW, SECOND, state } from "../plan/situation.ts";

test("nothing has to be rehearsed before a refusal", () => {
  expect(mustRehearse(state(), NOW)).toBe(false);
});

test("after a refusal a rehearsal is needed, and one that is taken holds for a minute", () => {
  const refused = endRefused(state());
  expect(mustRehearse(refused, NOW + 1000 * HOUR)).toBe(true);
  const taken = rehearsed(refused, NOW);
  expect(mustRehearse(taken, NOW + MINUTE)).toBe(false);
  expect(mustRehearse(taken, NOW + MINUTE + SECOND)).toBe(true);
});

test("only refusals that follow a taken rehearsal are counted", () => {
  const once = endRefused(rehearsed(endRefused(endRefused(state())), NOW));
  expect(once.refusedEnd).toEqual({ rehearsedAt: null, inSpite: 1 });
  expect(writeRefused(rehearsed(once, NOW)).refusedEnd).toEqual({ rehearsedAt: null, inSpite: 1 });
});

test.each([
  ["auth", true],
  ["two_factor", true],
  ["no_credit", false],
  ["spend_limit", false],
] as const)("a refused create counts where it is refused for %s: %s", (trouble, counts) => {
  expect(mustRehearse(accountBlocked(state(), trouble, "m", NOW), NOW)).toBe(counts);
});

test("a write that the API takes ends it", () => {
  const refused = endRefused(state());
  expect(deleteConfirmed(refused, 1, NOW).refusedEnd).toBeNull();
  expect(createdAs(refused, 42).refusedEnd).toBeNull();
});

test("a rehearsal in the time that a wrong clock once showed counts as made just now", () => {
  const ahead = rehearsed(endRefused(state()), NOW + HOUR);
  expect(mustRehearse(clampTimestamps(ahead, NOW), NOW + 2 * MINUTE)).toBe(true);
});
