// What a summary of many runs says about money: the share that serves nobody, its causes, and the gap to the oracle. Pure.
import { type Money, moneySentence } from "./laws/money.ts";
import type { Mix, Verdict } from "./run-one.ts";
import type { Cause } from "./spending.ts";

const MOST_CAUSES = 25;
const LEAST_PERCENT = 0.01;
// What was aimed at: a third less than was measured before the policy learned from experience (0.29 %, 4.15 points; 2026-11-24).
const CALM_GOAL = "0.25 %, of it 0.06 % waste";
const GAP_GOAL = "2.0 points";
// What stops a program altogether, then what stops its calls, then what spoils some of them.
const HOLDS = [
  "provisioner down",
  "frozen",
  "account trouble",
  "network",
  "full disk",
  "reloader down",
  "API fault",
  "nothing",
];

export function moneyLines(title: string, verdicts: readonly Verdict[], podHours: number): string[] {
  const [money, served] = [sumMoney(verdicts), servedShare(verdicts)];
  return [
    `${title}: ${moneySentence(money)}; pods served ${percent(served)} of the time`,
    `  $${(money.paid / (served * podHours)).toFixed(4)} for each served hour`,
  ];
}

/** The runs of one mix, and the oracle's of the same seeds if there are any. */
export interface MixRuns {
  mix: Mix;
  own: readonly Verdict[];
  oracle: readonly Verdict[] | null;
}

/** The numbers by which the program's policy is judged, each beside its goal. */
export function goalLines(runs: readonly MixRuns[]): string[] {
  const shares = runs.map(({ mix, own }) => {
    const { paid, boot, waste } = sumMoney(own);
    const goal = mix === "calm" ? `; goal: at most ${CALM_GOAL}` : "";
    const parts = `boot time ${percent(boot / paid)}, waste ${percent(waste / paid)}`;
    return `  ${mix} mix: ${percent((boot + waste) / paid)} of the money served nobody (${parts})${goal}`;
  });
  const gaps = runs.flatMap(({ mix, own, oracle }) => {
    if (oracle === null) return [];
    const goal = mix === "hard" ? `; goal: at most ${GAP_GOAL}` : "";
    return [`  gap to the oracle, ${mix} mix: ${points(own, oracle)}${goal}`];
  });
  return ["in short:", ...shares, ...gaps];
}

/** How much more of its money the provisioner pays for nobody than a program that knows everything, in percentage points. */
export function gapLines(own: readonly Verdict[], oracle: readonly Verdict[]): string[] {
  const served = `pods served ${percent(servedShare(own))} and ${percent(servedShare(oracle))} of the time`;
  const shares = `${percent(share(sumMoney(own)))} and ${percent(share(sumMoney(oracle)))}`;
  return [
    `gap to the oracle: ${points(own, oracle)} (${shares}; ${served})`,
    "  its parts, the provisioner's and the oracle's, by what the instance did:",
    ...partLines(own, oracle, ([state = ""]) => state),
    "  the same by what held the pod back, the first of the list where several did:",
    ...partLines(own, oracle, ([, , heldBy = ""]) => firstOf(heldBy)),
  ];
}

function partLines(own: readonly Verdict[], oracle: readonly Verdict[], nameOf: (cause: string[]) => string): string[] {
  const sums = [sharesBy(own, nameOf), sharesBy(oracle, nameOf)] as const;
  return [...new Set([...sums[0].keys(), ...sums[1].keys()])]
    .map((name) => ({ name, own: sums[0].get(name) ?? 0, oracle: sums[1].get(name) ?? 0 }))
    .filter((row) => 100 * Math.max(row.own, row.oracle) >= LEAST_PERCENT)
    .sort((x, y) => y.own - y.oracle - x.own + x.oracle)
    .map((row) => `  ${percent(row.own)}  ${percent(row.oracle)}  ${row.name}`);
}

const firstOf = (heldBy: string) => HOLDS.find((one) => heldBy.split(" + ").includes(one)) ?? heldBy;

/** The gap, with its standard error as the seeds show it: the gap without each of them (jackknife). */
function points(own: readonly Verdict[], oracle: readonly Verdict[]): string {
  const gapWithout = (seed: number | null) => {
    const [a, b] = [own, oracle].map((runs) => share(sumMoney(runs.filter((one) => one.seed !== seed))));
    return 100 * ((a ?? 0) - (b ?? 0));
  };
  const gaps = own.map(({ seed }) => gapWithout(seed));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const squares = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0);
  const error = gaps.length < 2 ? "?" : Math.sqrt(((gaps.length - 1) / gaps.length) * squares).toFixed(2);
  return `${gapWithout(null).toFixed(2)} points +- ${error}`;
}

/** The most expensive causes. */
export function causeLines(verdicts: readonly Verdict[]): string[] {
  const { paid } = sumMoney(verdicts);
  const rows = sumCauses(verdicts)
    .filter(({ boot, waste }) => 100 * (boot + waste) >= LEAST_PERCENT * paid)
    .slice(0, MOST_CAUSES)
    .map(({ boot, waste, cause }) => `  ${percent(boot / paid)}  ${percent(waste / paid)}  ${cause}`);
  return ["  boot time, waste: what the instance did | the plan's reason | what held the pod back", ...rows];
}

export function sumMoney(verdicts: readonly Verdict[]): Money {
  return verdicts.reduce<Money>(
    (sum, { money }) => ({
      paid: sum.paid + money.paid,
      boot: sum.boot + money.boot,
      waste: sum.waste + money.waste,
    }),
    { paid: 0, boot: 0, waste: 0 },
  );
}

function sumCauses(verdicts: readonly Verdict[]): Cause[] {
  const sums = new Map<string, Cause>();
  for (const { cause, boot, waste } of verdicts.flatMap(({ causes }) => causes)) {
    const sum = sums.get(cause) ?? { cause, boot: 0, waste: 0 };
    sums.set(cause, { cause, boot: sum.boot + boot, waste: sum.waste + waste });
  }
  return [...sums.values()].sort((a, b) => b.boot + b.waste - a.boot - a.waste);
}

function sharesBy(verdicts: readonly Verdict[], nameOf: (cause: string[]) => string): Map<string, number> {
  const { paid } = sumMoney(verdicts);
  const shares = new Map<string, number>();
  for (const { cause, boot, waste } of sumCauses(verdicts)) {
    const name = nameOf(cause.split(" | "));
    shares.set(name, (shares.get(name) ?? 0) + (paid === 0 ? 0 : (boot + waste) / paid));
  }
  return shares;
}

function servedShare(verdicts: readonly Verdict[]): number {
  return verdicts.reduce((sum, one) => sum + one.servedShare, 0) / Math.max(verdicts.length, 1);
}

const share = ({ paid, boot, waste }: Money) => (paid === 0 ? 0 : (boot + waste) / paid);
/** Nothing is known where nothing was paid. */
const percent = (part: number) => `${(Number.isFinite(part) ? (100 * part).toFixed(2) : "?").padStart(5)} %`;
