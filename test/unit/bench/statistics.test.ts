import fc from "fast-check";
import { expect, test } from "vitest";
import { median, percentile } from "../../bench/statistics.ts";

test("a percentile is the smallest sample that this many percent do not exceed", () => {
  const samples = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect(percentile(samples, 50)).toBe(50);
  expect(percentile(samples, 99)).toBe(99);
  expect(percentile(samples, 100)).toBe(100);
  expect(percentile([7, 3, 5], 50)).toBe(5);
  expect(percentile([7, 3, 5], 99)).toBe(7);
  expect(percentile([7], 0)).toBe(7);
});

test("the median is the middle sample, or the mean of the two in the middle", () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 9, 2])).toBe(3);
});

test("without samples both throw", () => {
  expect(() => median([])).toThrow("no samples");
  expect(() => percentile([], 50)).toThrow("no samples");
});

test("neither depends on the order of the samples, and the samples are not changed", () => {
  // Adding 0 turns -0 into 0: they sort as equal, but `toBe` distinguishes them.
  const sample = fc.double({ noNaN: true }).map((value) => value + 0);
  fc.assert(
    fc.property(fc.array(sample, { minLength: 1 }), fc.nat(100), (samples, percent) => {
      const before = [...samples];
      expect(percentile(samples.toReversed(), percent)).toBe(percentile(samples, percent));
      expect(median(samples.toReversed())).toBe(median(samples));
      expect(samples).toEqual(before);
    }),
  );
});
