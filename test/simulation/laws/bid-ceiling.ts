// Law 18: no pod bids more than its ceiling, or at all where it rents on demand. Pure.
import type { Breach, Truth } from "../emulator-truth.ts";

const LAW = "bid-ceiling";

/** Judged when the call leaves the pod. */
export function bidCeiling(truth: Truth): Breach[] {
  return truth.bids.flatMap(({ at, pod, on, dollarsPerHour }) => {
    const { bids = false, maxDollarsPerHour: ceiling = null } = truth.pods[pod] ?? {};
    const price = `$${dollarsPerHour.toFixed(4)}/h`;
    if (!bids) return [{ law: LAW, at, message: `pod ${pod} bids ${price} for ${on}, and is to rent on demand` }];
    if (ceiling !== null && dollarsPerHour <= ceiling) return [];
    const message = `pod ${pod} bids ${price} for ${on}, above its ceiling of ${ceiling ?? "nothing"}`;
    return [{ law: LAW, at, message }];
  });
}
