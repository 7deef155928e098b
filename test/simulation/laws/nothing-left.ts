// Law 4: an hour after the faults no unused instance is still billed. Pure.
import { type Breach, contractsOf, livesAt, type Truth } from "../emulator-truth.ts";
import { isReturnToBid } from "./two-instances.ts";

const LAW = "nothing-left";
const AFTER_MS = 3_600_000;

/** One hour after the faults stop each pod has one live instance, and every other contract ever made is destroyed. */
export function nothingLeft(truth: Truth): Breach[] {
  const at = truth.faultsEnd + AFTER_MS;
  return truth.pods.flatMap((pod) => {
    const live = contractsOf(truth, pod).filter((contract) => livesAt(contract, at));
    if (live.length === 1 || isReturnToBid(truth, pod, at)) return [];
    const ids = live.map((contract) => contract.id).join(", ");
    return [{ law: LAW, at, message: `${pod.name} has ${live.length} live instances${ids ? `: ${ids}` : ""}` }];
  });
}
