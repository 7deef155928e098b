// What a summary of many runs says about money: the share that serves nobody, its causes, and the gap to the oracle. Pure.
import { type Money, moneySentence } from "./laws/money.ts";
import type { Verdict } from "./run-one.ts";
import type { Cause } from "./spending.ts";

const MOST_CAUSES = 25;
const LEAST_PERCENT = 0.01;

export function moneyLines(title: string, verdicts: readonly Verdict[]): string[] {
  const served = verdicts.reduce((sum, one) => sum + one.servedShare, 0) / Math.max(verdicts.length, 1);
  return [`${title}: ${moneySentence(sumMoney(verdicts))}; pods served ${percent(served)} of the time`];
}

/** How much more of its money the provisioner pays for nobody than a program that knows everything, in percentage points. */
export function gapLines(own: readonly Verdict[], oracle: readonly Verdict[]): string[] {
  const [a, b] = [share(sumMoney(own)), share(sumMoney(oracle))];
  const line = `gap to the oracle: ${(100 * (a - b)).toFixed(2)} points (${percent(a)} and ${percent(b)})`;
  const states = [stateShares(own), stateShares(oracle)] as const;
  const names = [...new Set([...states[0].keys(), ...states[1].keys()])];
  const rows = names
    .map((name) => ({ name, own: states[0].get(name) ?? 0, oracle: states[1].get(name) ?? 0 }))
    .filter((row) => 100 * Math.max(row.own, row.oracle) >= LEAST_PERCENT)
    .sort((x, y) => y.own - y.oracle - x.own + x.oracle)
    .map((row) => `  ${percent(row.own)}  ${percent(row.oracle)}  ${row.name}`);
  return [line, "  its parts, the provisioner's and the oracle's, by what the instance did:", ...rows];
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

function stateShares(verdicts: readonly Verdict[]): Map<string, number> {
  const { paid } = sumMoney(verdicts);
  const shares = new Map<string, number>();
  for (const { cause, boot, waste } of sumCauses(verdicts)) {
    const [state = ""] = cause.split(" | ");
    shares.set(state, (shares.get(state) ?? 0) + (paid === 0 ? 0 : (boot + waste) / paid));
  }
  return shares;
}

const share = ({ paid, boot, waste }: Money) => (paid === 0 ? 0 : (boot + waste) / paid);
const percent = (part: number) => `${(100 * part).toFixed(2).padStart(5)} %`;
