// Law 9: an instance that answers is served, or it is destroyed. Pure.
import { type Breach, type ContractTruth, contractsOf, type Truth } from "../emulator-truth.ts";
import { calmSpans, withoutAll } from "./two-instances.ts";

// Longer than a reloader is down in a run, with the time to notice everything.
const UNSERVED_MS = 20 * 60_000;
// What may prevent a destroy, but not that the instance serves on.
const HARMLESS = ["rights", "state-disk"];

/**
 * While the provisioner runs and the list can be read, no instance with the pod's label answers for 20 minutes while the pod serves
 * nothing, unless a DELETE of it may have taken effect.
 */
export function servesOrEnds(truth: Truth): Breach[] {
  return truth.pods.flatMap((pod, index) => {
    const calm = calmSpans(truth, pod, index, HARMLESS);
    return contractsOf(truth, pod).flatMap((contract) => {
      const deleted = { from: deletedAt(truth, contract), to: Number.POSITIVE_INFINITY };
      const unserved = withoutAll(contract.answering, [...pod.serving, deleted]);
      return calm.flatMap((span) =>
        unserved.flatMap((one) => {
          const [from, to] = [Math.max(one.from, span.from), Math.min(one.to, span.to)];
          if (to - from <= UNSERVED_MS) return [];
          const minutes = Math.round((to - from) / 60_000);
          const message = `instance ${contract.id} of ${pod.name} answered for ${minutes} min, and nothing was served`;
          return [{ law: "serves-or-ends", at: from, message }];
        }),
      );
    });
  });
}

function deletedAt({ touches }: Truth, { id }: ContractTruth): number {
  const deletes = touches.filter((touch) => touch.id === id && touch.call.startsWith("DELETE") && !touch.refused);
  return Math.min(Number.POSITIVE_INFINITY, ...deletes.map(({ at }) => at));
}
