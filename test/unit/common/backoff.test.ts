import { expect, test } from "vitest";
import { exponentialMs } from "../../../common/backoff.ts";

test("exponential backoff doubles with each failure, up to its maximum", () => {
  expect([1, 2, 3, 4, 5].map((failures) => exponentialMs(1000, 6000, failures))).toEqual([
    1000, 2000, 4000, 6000, 6000,
  ]);
});

test("exponential backoff stays at its maximum after any number of failures", () => {
  expect(exponentialMs(1000, 6000, 10_000)).toBe(6000);
});

test("exponential backoff never exceeds its maximum, even at the first failure", () => {
  expect(exponentialMs(8000, 6000, 1)).toBe(6000);
});
