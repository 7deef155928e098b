import { expect, test } from "vitest";
import { orderLines } from "../../simulation/order-report.ts";
import type { Verdict } from "../../simulation/run-one.ts";

const verdict = (seed: number, paid: number, servedShare: number): Verdict => ({
  seed,
  hash: "",
  breaches: [],
  money: { paid, boot: 0, waste: 0 },
  servedShare,
  causes: [],
  timeline: [],
  shortest: [],
});

test("two orders are compared seed by seed: a dearer seed does not hide a difference", () => {
  const runs = [verdict(1, 10, 1), verdict(2, 100, 0.5)];
  const others = [verdict(2, 90, 0.5), verdict(1, 9.2, 1)];
  expect(orderLines(["dph_total", "expected_cost"], [runs, others], 100)).toEqual([
    "expected_cost against dph_total, 2 pairs of runs of one seed:",
    "  dollars for each served hour: -9.00 +- 1.00 %",
    "  pods served: +0.00 +- 0.00 points of the time",
  ]);
});
