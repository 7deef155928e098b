import { expect, test } from "vitest";
import { failures, longestGapSeconds, type RequestSample, summary } from "../../cluster/client.ts";

const samples = (...outcomes: string[]): RequestSample[] =>
  outcomes.map((outcome, i) => ({ at: 1000 * i, outcome, instance: null }));

test("the longest gap goes from the first failed request to the next good one", () => {
  expect(longestGapSeconds(samples("200", "refused", "503", "200", "refused", "200"))).toBe(2);
});

test("a gap that has not ended counts up to the last request", () => {
  expect(longestGapSeconds(samples("200", "200", "refused", "refused", "refused"))).toBe(2);
});

test("without a failed request there is no gap", () => {
  expect(longestGapSeconds(samples("200", "200"))).toBe(0);
  expect(failures(samples("200", "200"))).toEqual([]);
});

test("the summary counts each outcome", () => {
  expect(summary(samples("200", "refused", "200"))).toBe("2 200, 1 refused; longest gap 1.0 s");
});
