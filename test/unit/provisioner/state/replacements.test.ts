import { expect, test } from "vitest";
import { clampTimestamps } from "../../../../provisioner/state/clamp-timestamps.ts";
import {
  mayReplaceForEnd,
  recentReplacements,
  replacedFor,
  replacedForEnd,
  replacementAllowedAt,
} from "../../../../provisioner/state/replacements.ts";
import { HOUR, MINUTE, NOW, state } from "../plan/situation.ts";

const at = (minutesAgo: number, revision = "r") => ({ at: NOW - minutesAgo * MINUTE, revision });
const allowedAt = (replacements: ReturnType<typeof at>[], revision = "r") =>
  replacementAllowedAt(state({ replacements }), revision, NOW);

test("two replacements within an hour are allowed, and the third waits until the first is an hour old", () => {
  expect(allowedAt([])).toBeNull();
  expect(allowedAt([at(5)])).toBeNull();
  expect(allowedAt([at(50), at(5)])).toBe(NOW + 10 * MINUTE);
  expect(allowedAt([at(55), at(50), at(5)])).toBe(NOW + 10 * MINUTE);
  expect(allowedAt([at(60), at(5)])).toBeNull();
});

test("the first one for a new setting is always allowed", () => {
  expect(allowedAt([at(50), at(5)], "another")).toBeNull();
  expect(allowedAt([at(50, "another"), at(5)], "another")).not.toBeNull();
});

test("only those of the last hour are kept", () => {
  expect(recentReplacements(state({ replacements: [at(60), at(59)] }), NOW)).toEqual([at(59)]);
});

test("each one is recorded with its revision, and none is later than now", () => {
  const next = replacedFor(state(), { wanted: "a", reported: "b" }, "r", NOW + HOUR);
  expect(next).toMatchObject({ replacements: [{ at: NOW + HOUR, revision: "r" }] });
  expect(clampTimestamps(next, NOW).replacements).toEqual([{ at: NOW, revision: "r" }]);
});

test("replacements for the end of a contract are counted apart: two within an hour, and they say nothing about image and template", () => {
  const converging = { wanted: "a", reported: "b" };
  const once = replacedForEnd(state({ converging }), NOW - 10 * MINUTE);
  const twice = replacedForEnd(once, NOW - MINUTE);
  expect([once, twice].map((one) => mayReplaceForEnd(one, NOW))).toEqual([true, false]);
  expect(mayReplaceForEnd(twice, NOW + 50 * MINUTE)).toBe(true);
  expect(twice.converging).toEqual(converging);
  expect(replacementAllowedAt({ ...twice, replacements: [...twice.replacements, at(5)] }, "r", NOW)).toBeNull();
  const others = state({ replacements: [at(50), at(5)] });
  expect(mayReplaceForEnd(others, NOW)).toBe(true);
});
