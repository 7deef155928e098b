// Law 10: an instance whose end was ordered at a stop is not billed any more when the process is gone. Pure.
import { type Breach, contractsOf, type EndTruth, livesAt, type PodTruth, type Truth } from "../emulator-truth.ts";
import { calmSpans } from "./two-instances.ts";

// In this much time without a lasting fault, every call that failed before is repeated: a rate limit that was refused several times
// opens within a minute.
const AVAILABLE_MS = 75_000;
// What appears later than this before the end is not in the last list.
const LAST_LIST_MS = 5000;

/** Holds when the API was available long enough, unless another process of the pod has the label. A full volume is no excuse. */
export function orderedEnd(truth: Truth): Breach[] {
  return truth.pods.flatMap((pod, index) =>
    pod.ends
      .filter((end) => isJudged(truth, pod, index, end))
      .flatMap(({ from, to }) => {
        const shown = contractsOf(truth, pod).filter(({ createdAt, visibleAt }) => {
          const latest = Math.max(from, to - LAST_LIST_MS);
          return createdAt <= latest && visibleAt <= latest;
        });
        const seconds = Math.round((to - from) / 1000);
        return shown
          .filter((contract) => livesAt(contract, to))
          .map(({ id }) => ({
            law: "ordered-end",
            at: to,
            message: `${pod.name} left instance ${id} billed, whose end was ordered ${seconds} s before`,
          }));
      }),
  );
}

function isJudged(truth: Truth, pod: PodTruth, index: number, { from, to, due, killed }: EndTruth): boolean {
  if (killed || due > truth.end) return false;
  if (pod.running.filter((span) => span.from < to && span.to > from).length > 1) return false;
  const time = { ...pod, running: [{ from, to: due }] };
  return calmSpans(truth, time, index, ["disk"]).some((span) => span.to - span.from >= AVAILABLE_MS);
}
