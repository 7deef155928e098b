// Compares two orders of the offers on the same seeds: what an hour of service costs. Pure.
import type { Verdict } from "./run-one.ts";

/** `hours`: pod-hours of one run. */
export function orderLines(
  [order, against]: readonly [string, string],
  [runs, others]: readonly [readonly Verdict[], readonly Verdict[]],
  hours: number,
): string[] {
  const perHour = ({ money, servedShare }: Verdict) => money.paid / (servedShare * hours);
  const pairs = runs.flatMap((run) => others.filter(({ seed }) => seed === run.seed).map((other) => ({ run, other })));
  const price = mean(pairs.map(({ run, other }) => (100 * (perHour(other) - perHour(run))) / perHour(run)));
  const served = mean(pairs.map(({ run, other }) => 100 * (other.servedShare - run.servedShare)));
  return [
    `${against} against ${order}, ${pairs.length} pairs of runs of one seed:`,
    `  dollars for each served hour: ${signed(price.mean)} +- ${price.error} %`,
    `  pods served: ${signed(served.mean)} +- ${served.error} points of the time`,
  ];
}

/** With its standard error. */
function mean(values: readonly number[]): { mean: number; error: string } {
  const average = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - average) ** 2, 0);
  const error = values.length < 2 ? "?" : Math.sqrt(squares / (values.length - 1) / values.length).toFixed(2);
  return { mean: average, error };
}

const signed = (value: number) => `${value < 0 ? "" : "+"}${value.toFixed(2)}`;
