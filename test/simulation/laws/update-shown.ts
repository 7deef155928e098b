// Law 13: an instance whose container was replaced in place is served only while its row shows what was wanted. Pure.
import type { Breach, PodTruth, Truth } from "../emulator-truth.ts";

// After that the update counts as failed, and what answers may serve until another instance can be created.
const FAILED_AFTER_MS = 120_000;

/**
 * Judged when nginx begins to route to it. A pod that has lost its disk does not know what it had begun, and of two processes of a pod one
 * does not know what the other has begun.
 */
export function updateShown(truth: Truth): Breach[] {
  return truth.pods.flatMap((pod, index) =>
    pod.serving.flatMap(({ from, id, shows }) => {
      const recycle = truth.recycles.findLast((one) => one.pod === index && one.id === id && one.at <= from);
      if (recycle === undefined || from - recycle.at >= FAILED_AFTER_MS || shows === recycle.wanted) return [];
      if (pod.replacedAt.some((at) => at >= recycle.at && at <= from)) return [];
      if (runsTwice(pod, recycle.at) || runsTwice(pod, from)) return [];
      const seconds = Math.round((from - recycle.at) / 1000);
      const message = `${pod.name} serves instance ${id} ${seconds} s after its recycle: its row shows ${shows}, and ${recycle.wanted} is wanted`;
      return [{ law: "update-shown", at: from, message }];
    }),
  );
}

function runsTwice({ running }: PodTruth, at: number): boolean {
  return running.filter((span) => span.from <= at && at < span.to).length > 1;
}
