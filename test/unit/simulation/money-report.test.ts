import { expect, test } from "vitest";
import { causeLines, gapLines, goalLines, moneyLines } from "../../simulation/money-report.ts";
import type { Verdict } from "../../simulation/run-one.ts";
import type { Cause } from "../../simulation/spending.ts";

function verdict(paid: number, causes: Cause[], servedShare = 0.9, seed = 1): Verdict {
  const sum = (part: "boot" | "waste") => causes.reduce((total, one) => total + one[part], 0);
  const money = { paid, boot: sum("boot"), waste: sum("waste") };
  return { seed, hash: "", breaches: [], money, servedShare, causes, timeline: [], shortest: [] };
}

const EXITED = "exited | instance_lost | nothing";
const STARTS = "app starts | instance_starting | nothing";

test("the share that serves nobody is one of all the money, and the served time an average of the runs", () => {
  const verdicts = [
    verdict(30, [{ cause: EXITED, boot: 0, waste: 2 }], 0.8),
    verdict(10, [{ cause: STARTS, boot: 1, waste: 0 }], 1),
  ];
  expect(moneyLines("hard mix", verdicts, 100)).toEqual([
    "hard mix: 7.5 % of $40.00 served nobody: 2.5 % boot time, 5.0 % waste; pods served 90.00 % of the time",
    "  $0.4444 for each served hour",
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
  expect(gap).toBe(
    "gap to the oracle: 4.00 points +- ? ( 6.00 % and  2.00 %; pods served 90.00 % and 90.00 % of the time)",
  );
  expect(parts.slice(0, 2)).toEqual(["   4.00 %   0.00 %  exited", "   2.00 %   2.00 %  app starts"]);
});

test("the gap's parts are also told by what held the pod back: what stops a program before what spoils its calls", () => {
  const own = verdict(100, [
    { cause: "answers | instance_unreachable | API fault + frozen", boot: 0, waste: 4 },
    { cause: "answers | account_auth | API fault + account trouble", boot: 0, waste: 2 },
    { cause: EXITED, boot: 0, waste: 1 },
  ]);
  const oracle = verdict(100, [{ cause: "answers | instance_starting | frozen", boot: 1, waste: 0 }]);
  const lines = gapLines([own], [oracle]);
  expect(lines.slice(lines.findIndex((line) => line.includes("held the pod back")) + 1)).toEqual([
    "   4.00 %   1.00 %  frozen",
    "   2.00 %   0.00 %  account trouble",
    "   1.00 %   0.00 %  nothing",
  ]);
});

test("the numbers of the goals stand together, the gap with the error that its seeds show", () => {
  const mixed = [verdict(100, [{ cause: EXITED, boot: 0, waste: 8 }], 0.9, 1), verdict(100, [], 0.9, 2)];
  const oracle = [verdict(100, [{ cause: EXITED, boot: 0, waste: 2 }], 0.9, 1), verdict(100, [], 0.9, 2)];
  const calm = [verdict(100, [{ cause: STARTS, boot: 0.25, waste: 0 }])];
  expect(
    goalLines([
      { mix: "hard", own: mixed, oracle },
      { mix: "calm", own: calm, oracle: null },
    ]),
  ).toEqual([
    "in short:",
    "  hard mix:  4.00 % of the money served nobody (boot time  0.00 %, waste  4.00 %)",
    "  calm mix:  0.25 % of the money served nobody (boot time  0.25 %, waste  0.00 %); goal: at most 0.25 %, of it 0.06 % waste",
    "  gap to the oracle, hard mix: 3.00 points +- 3.00; goal: at most 2.0 points",
  ]);
});

test("the share of no money at all is unknown", () => {
  expect(goalLines([{ mix: "hard", own: [verdict(0, [])], oracle: null }])[1]).toBe(
    "  hard mix:     ? % of the money served nobody (boot time     ? %, waste     ? %)",
  );
});
