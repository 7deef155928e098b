// Law 5: when the faults are over, every pod serves again soon. Pure.
import type { Breach, PodTruth, Truth } from "../emulator-truth.ts";
import { countedCreates } from "./budget.ts";

const AGAIN_MS = 45 * 60_000;
const HOUR_MS = 3_600_000;

/**
 * Every pod serves 45 minutes after the faults stop, or after its budget allows another create, if that is later (law 6 forbids
 * an earlier one).
 */
export function servingAgain(truth: Truth): Breach[] {
  return truth.pods.flatMap((pod, index) => {
    const due = mayCreateAt(truth, pod, index) + AGAIN_MS;
    if (due > truth.end) return [];
    if (pod.serving.some((span) => span.to > truth.faultsEnd && span.from <= due)) return [];
    const message = `${pod.name} does not serve ${Math.round((due - truth.faultsEnd) / 60_000)} min after the faults`;
    return [{ law: "serving-again", at: due, message }];
  });
}

/** When the faults have ended and the budget has room for a create. */
function mayCreateAt(truth: Truth, pod: PodTruth, index: number): number {
  const before = countedCreates(truth, index).filter((at) => at <= truth.faultsEnd && at > truth.faultsEnd - HOUR_MS);
  const inTheWay = before[before.length - pod.maxCreatesPerHour];
  return inTheWay === undefined ? truth.faultsEnd : inTheWay + HOUR_MS;
}
