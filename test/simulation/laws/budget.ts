// Law 6: no label gets more instances within any hour than its budget allows. Pure.
import { type Breach, redisMayHaveForgotten, type Truth } from "../emulator-truth.ts";

const HOUR_MS = 3_600_000;
// The copy in Redis is written by the next pass after Redis is back, and read when a killed predecessor's lease has expired.
const COPY_MS = 180_000;

/** Instants of the creates that made an instance or may have. */
export function countedCreates(truth: Truth, pod: number): number[] {
  return truth.creates.filter((one) => one.pod === pod && (one.made !== null || one.uncertain)).map((one) => one.at);
}

/** Holds for a label, also when its pod is replaced and its disk is lost, unless Redis was down or lost its data then. */
export function budgetKept(truth: Truth): Breach[] {
  return truth.pods.flatMap((pod, index) => {
    const forgotten = pod.replacedAt.filter((at) => redisMayHaveForgotten(truth, at - COPY_MS, at + COPY_MS));
    const borders = [truth.start, ...forgotten, Number.POSITIVE_INFINITY];
    const all = countedCreates(truth, index);
    return borders.slice(1).flatMap((to, i) => {
      const from = borders[i] ?? truth.start;
      const creates = all.filter((at) => at >= from && at < to);
      return creates.flatMap((at) => {
        const within = creates.filter((other) => other <= at && other > at - HOUR_MS).length;
        if (within <= pod.maxCreatesPerHour) return [];
        const message = `${pod.name} made ${within} creates within an hour, ${pod.maxCreatesPerHour} are allowed`;
        return [{ law: "budget", at, message }];
      });
    });
  });
}
