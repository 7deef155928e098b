// Law 16: no pod accepts a price above its ceiling, or for an instance that is not its own. Pure.
import type { Breach, Truth } from "../emulator-truth.ts";

const LAW = "price-ceiling";

/** Judged when the call leaves the pod. */
export function priceCeiling(truth: Truth): Breach[] {
  return truth.acceptedPrices.flatMap(({ at, pod, id, label, dollarsPerHour }) => {
    const own = truth.pods[pod];
    const price = `$${dollarsPerHour.toFixed(3)}/h`;
    if (label !== own?.label)
      return [{ law: LAW, at, message: `pod ${pod} accepts ${price} for instance ${id}, which is not its own` }];
    const ceiling = own.maxDollarsPerHour;
    if (ceiling !== null && dollarsPerHour <= ceiling) return [];
    return [
      {
        law: LAW,
        at,
        message: `pod ${pod} accepts ${price} for instance ${id}, above its ceiling of ${ceiling ?? "nothing"}`,
      },
    ];
  });
}
