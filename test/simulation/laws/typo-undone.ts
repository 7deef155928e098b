// Law 15: an image that cannot be pulled does not cost an instance that served before its update in place. Pure.
import {
  type Breach,
  contractsOf,
  type DestroyTruth,
  type PodTruth,
  type RecycleTruth,
  redisMayHaveForgotten,
  type Truth,
} from "../emulator-truth.ts";
import { wasOrdered } from "./good-kept.ts";

// The shortest time for which a list has shown an instance that has served.
const SERVED_MS = 30_000;

/**
 * Before such an instance is destroyed, its pod has sent the template of before. A pod that lost its disk knows of that by Redis only, and
 * its successor waits for the lease.
 */
export function typoUndone(truth: Truth): Breach[] {
  return truth.destroys.flatMap((destroy) => {
    const { at, pod, id, cannotPull, others } = destroy;
    const own = truth.pods[pod];
    if (!cannotPull || others > 0 || own === undefined || wasOrdered(truth, destroy)) return [];
    // One back to what served is a part of the attempt: the API may recycle and keep the image all the same.
    const isBack = (one: RecycleTruth) => lastServing(own, id, one.at)?.shows === one.wanted;
    const recycle = truth.recycles.findLast((one) => one.id === id && one.at <= at && !isBack(one));
    if (recycle === undefined) return [];
    if (!servedBefore(truth, destroy, recycle.at) || triedToGoBack(truth, destroy, recycle.at)) return [];
    const lost = own.replacedAt.some((time) => time <= at && redisMayHaveForgotten(truth, recycle.at - 120_000, at));
    if (lost) return [];
    const message = `${own.name} destroyed instance ${id}, which served before its update to an image that cannot be pulled`;
    return [{ law: "typo-undone", at, message }];
  });
}

function lastServing({ serving }: PodTruth, id: number, before: number) {
  return serving.findLast((span) => span.id === id && span.from < before);
}

function servedBefore(truth: Truth, { pod, id }: DestroyTruth, recycledAt: number): boolean {
  const own = truth.pods[pod];
  if (own === undefined || contractsOf(truth, own).every((contract) => contract.id !== id)) return false;
  return own.serving.some((span) => span.id === id && span.from < recycledAt - SERVED_MS);
}

function triedToGoBack({ touches }: Truth, { id, at }: DestroyTruth, recycledAt: number): boolean {
  return touches.some(
    (one) => one.id === id && one.at > recycledAt && one.at <= at && one.call.includes("/update_template/"),
  );
}
