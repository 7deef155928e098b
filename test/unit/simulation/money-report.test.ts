import { expect, test } from "vitest";
import { causeLines, gapLines, moneyLines } from "../../simulation/money-report.ts";
import type { Verdict } from "../../simulation/run-one.ts";
import type { Cause } from "../../simulation/spending.ts";

function verdict(paid: number, causes: Cause[], servedShare = 0.9): Verdict {
  const sum = (part: "boot" | "waste") => causes.reduce((total, one) => total + one[part], 0);
  const money = { paid, boot: sum("boot"), waste: sum("waste") };
  return { seed: 1, hash: "", breaches: [], money, servedShare, causes, timeline: [], shortest: [] };
}

const EXITED = "exited | instance_lost | nothing";
const STARTS = "app starts | instance_starting | nothing";

test("the share that serves nobody is one of all the money, and the served time an average of the runs", () => {
  const verdicts = [
    verdict(30, [{ cause: EXITED, boot: 0, waste: 2 }], 0.8),
    verdict(10, [{ cause: STARTS, boot: 1, waste: 0 }], 1),
  ];
  expect(moneyLines("hard mix", verdicts)).toEqual([
    "hard mix: 7.5 % of $40.00 served nobody: 2.5 % boot time, 5.0 % waste; pods served 90.00 % of the time",
  ]);
});

test("the causes of all runs are added, the most expensive first, and the smallest are left out", () => {
  const verdicts = [
    verdict(50, [{ cause: STARTS, boot: 1, waste: 0.5 }]),
    verdict(50, [
      { cause: EXITED, boot: 0, waste: 2 },
      { cause: STARTS, boot: 1, waste: 0 },
      { cause: "mute | instance_unreachable | nothing", boot: 0, waste: 0.001 },
    ]),
  ];
  expect(causeLines(verdicts).slice(1)).toEqual([`   2.00 %   0.50 %  ${STARTS}`, `   0.00 %   2.00 %  ${EXITED}`]);
});

test("the gap is in points, with its parts by what the instance did: the largest difference first", () => {
  const own = verdict(100, [
    { cause: STARTS, boot: 2, waste: 0 },
    { cause: EXITED, boot: 0, waste: 3 },
    { cause: "exited | list_unknown | API fault", boot: 0, waste: 1 },
  ]);
  const oracle = verdict(50, [{ cause: STARTS, boot: 1, waste: 0 }]);
  const [gap, , ...parts] = gapLines([own], [oracle]);
  expect(gap).toBe("gap to the oracle: 4.00 points ( 6.00 % and  2.00 %)");
  expect(parts).toEqual(["   4.00 %   0.00 %  exited", "   2.00 %   2.00 %  app starts"]);
});
