import { expect, test } from "vitest";
import { dollarsText, perHourText, priceCell, shortDuration } from "../../../../provisioner/screens/amounts.ts";

test("an unknown amount is a question mark, and nothing else is", () => {
  expect([priceCell(null), dollarsText(null), perHourText(null)]).toEqual(["?", "?", "?"]);
  expect([priceCell(0), dollarsText(0), perHourText(0)]).toEqual(["0.000", "$0.00", "$0.000/h"]);
});

test("money that is owed has its sign before the dollar", () => {
  expect(dollarsText(-1.5)).toBe("-$1.50");
});

test.each([
  [0, "0s"],
  [59_999, "59s"],
  [60_000, "1m"],
  [3_599_000, "59m"],
  [3_600_000, "1h"],
  [12_000_000, "3h 20m"],
  [86_400_000, "1d"],
  [274_000_000, "3d 4h"],
  [10 * 86_400_000 - 1, "9d 23h"],
  [41 * 86_400_000 + 7_200_000, "41d"],
  [-5000, "0s"],
])("%i ms are %s", (ms, text) => {
  expect(shortDuration(ms)).toBe(text);
});
