// Law 2: no instance is ever changed that does not carry exactly the pod's label. Pure.
import type { Breach, Truth } from "../emulator-truth.ts";

/** No call of a pod changes an instance that has another label than the pod's own, or none. */
export function othersUntouched(truth: Truth): Breach[] {
  const known = new Set(truth.contracts.map((contract) => contract.id));
  return truth.touches.flatMap(({ at, pod, id, label, call }) => {
    const own = truth.pods[pod]?.label;
    if (label === own || !known.has(id)) return [];
    return [{ law: "others-untouched", at, message: `pod ${pod} sent ${call}, whose label is ${label ?? "none"}` }];
  });
}
