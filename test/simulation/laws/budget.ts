// Law 6: no pod makes more instances within any hour than its budget allows. Pure.
import type { Breach, Truth } from "../truth.ts";

const HOUR_MS = 3_600_000;

/** Instants of the creates that made something or may have. */
export function countedCreates(truth: Truth, pod: number): number[] {
  return truth.creates.filter((one) => one.pod === pod && (one.made !== null || one.uncertain)).map((one) => one.at);
}

/** The budget of one pod, as long as it is the same pod: its disk remembers. */
export function budgetKept(truth: Truth): Breach[] {
  return breaches(truth, "budget", (pod) => [
    truth.start,
    ...(truth.pods[pod]?.replacedAt ?? []),
    Number.POSITIVE_INFINITY,
  ]);
}

/** The budget of one label, also when its pod is replaced by another one while Redis is kept. */
export function budgetKeptByLabel(truth: Truth): Breach[] {
  return breaches(truth, "budget-by-label", () => [truth.start, Number.POSITIVE_INFINITY]);
}

function breaches(truth: Truth, law: string, livesOf: (pod: number) => number[]): Breach[] {
  return truth.pods.flatMap((pod, index) => {
    const borders = livesOf(index);
    const all = countedCreates(truth, index);
    return borders.slice(1).flatMap((to, i) => {
      const from = borders[i] ?? truth.start;
      const creates = all.filter((at) => at >= from && at < to);
      return creates.flatMap((at) => {
        const within = creates.filter((other) => other <= at && other > at - HOUR_MS).length;
        if (within <= pod.maxCreatesPerHour) return [];
        return [
          { law, at, says: `${pod.name} made ${within} creates within an hour, ${pod.maxCreatesPerHour} are allowed` },
        ];
      });
    });
  });
}
