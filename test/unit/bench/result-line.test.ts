import { describe, expect, test } from "vitest";
import { type Goal, type Measured, ratioOf, verdictOf } from "../../bench/result-line.ts";

const line = (ours: number, against: number | null, goal: Goal | null): Measured => ({
  what: "it",
  ours: { value: ours, unit: "ms" },
  against: against === null ? null : { value: against, unit: "ms", what: "the other" },
  goal,
});

describe("a goal is reached", () => {
  test.each([
    ["at the bound of a ratio from below", line(30, 20, { atMost: 1.5 }), "reached"],
    ["not above it", line(31, 20, { atMost: 1.5 }), "missed"],
    ["at the bound of a ratio from above", line(60, 20, { atLeast: 3 }), "reached"],
    ["not below it", line(59, 20, { atLeast: 3 }), "missed"],
    ["at the bound of a value without a comparison", line(0, null, { atMost: 0 }), "reached"],
    ["not beyond it", line(1, null, { atMost: 0 }), "missed"],
  ])("%s", (_, measured, verdict) => {
    expect(verdictOf(measured)).toBe(verdict);
  });
});

test("a number without a goal is not judged", () => {
  expect(verdictOf(line(1, 2, null))).toBeNull();
});

test("without a comparison there is no ratio, and without a ratio no verdict", () => {
  expect(ratioOf(line(5, null, null))).toBeNull();
  expect(ratioOf(line(5, 0, { atMost: 2 }))).toBeNull();
  expect(verdictOf(line(5, 0, { atMost: 2 }))).toBeNull();
});
