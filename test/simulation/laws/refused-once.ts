// Law 21: what serves is withdrawn once for an end that the key or the account does not allow, and not again before that is over. Pure.
import type { Breach, PodTruth, TouchTruth, Truth } from "../emulator-truth.ts";
import { contractsOf } from "../emulator-truth.ts";

// From the withdrawal to the call: nginx, the drain, the rate limit, and a call that is sent again.
const WITHDRAWN_MS = 60_000;
const END = /^DELETE |\/(update_template|recycle)\//;

/**
 * Between two such ends in vain of a pod, before each of which it served, the API has answered a call that changes something in another
 * way, or made an instance; or the program, which may not have written down the first refusal, or the pod was another one.
 */
export function refusedOnce(truth: Truth): Breach[] {
  return truth.pods.flatMap((pod, index) => {
    const touches = truth.touches.filter((touch) => touch.pod === index);
    const vain = touches.flatMap((touch) => {
      const servedSince = touch.forbidden === true && END.test(touch.call) ? withdrawn(truth, pod, touch) : null;
      return servedSince === null ? [] : [{ ...touch, servedSince }];
    });
    return vain.flatMap(({ at, id, servedSince }) => {
      const before = vain.findLast((other) => other.at < servedSince);
      if (before === undefined) return [];
      const isBetween = (time: number) => time >= before.at && time <= at;
      const shown =
        touches.some((touch) => touch.forbidden !== true && isBetween(touch.at)) ||
        truth.creates.some((create) => create.pod === index && create.made !== null && isBetween(create.at));
      if (shown || pod.running.some(({ from }) => isBetween(from)) || pod.replacedAt.some(isBetween)) return [];
      const seconds = Math.round((at - before.at) / 1000);
      const message = `${pod.name} withdrew instance ${id} although the API had refused such a change ${seconds} s before`;
      return [{ law: "refused-once", at, message }];
    });
  });
}

/**
 * Since when nginx routed to it until shortly before. Null: it did not; or it did not answer all the time and was withdrawn for that; or a
 * stop has ordered its end, which is tried until it succeeds.
 */
function withdrawn(truth: Truth, pod: PodTruth, { at, id }: TouchTruth): number | null {
  const span = pod.serving.findLast(({ from }) => from <= at);
  if (span === undefined || span.id !== id || span.to >= at || span.to < at - WITHDRAWN_MS) return null;
  if (pod.ends.some((end) => end.from <= at && at <= end.to + WITHDRAWN_MS)) return null;
  if (pod.cutOff.some(({ from, to }) => from <= at && to >= span.to - WITHDRAWN_MS)) return null;
  const { answering } = contractsOf(truth, pod).find((one) => one.id === id) ?? { answering: [] };
  return answering.some(({ from, to }) => from < span.to && to >= at) ? span.from : null;
}
