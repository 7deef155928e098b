// Law 19: an interruptible instance that was outbid runs again soon, or is destroyed: its disk is billed as long as it exists. Pure.
import { type Breach, contractsOf, type Truth } from "../emulator-truth.ts";
import { calmSpans, longer, withoutAll } from "./two-instances.ts";

// Three raises of the bid take 180 s at most; then come the turn among the pods and the drain. A pause after refused calls lasts 240 s.
const STOPPED_MS = 600_000;

/** Counted while the provisioner runs and the API answers correctly, until a DELETE that may have taken effect. */
export function stoppedBid(truth: Truth): Breach[] {
  return truth.pods.flatMap((pod, index) => {
    const calm = calmSpans(truth, pod, index);
    return contractsOf(truth, pod).flatMap(({ id, stopped }) => {
      const deletes = truth.touches.filter(
        (touch) => touch.id === id && touch.call.startsWith("DELETE") && !touch.refused,
      );
      const deleted = { from: Math.min(...deletes.map(({ at }) => at)), to: Number.POSITIVE_INFINITY };
      return longer(withoutAll(stopped, [deleted]), calm, STOPPED_MS).map(({ from, to }) => {
        const message = `${pod.name} left instance ${id}, which was outbid, stopped and billed for ${Math.round((to - from) / 1000)} s`;
        return { law: "stopped-bid", at: from, message };
      });
    });
  });
}
