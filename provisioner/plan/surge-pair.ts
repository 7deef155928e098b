// Which two instances belong to a surge: an outdated one and its replacement, by their rows. Pure.
import { phaseOf, stoppedByVast } from "../model/instance-phase.ts";
import { matchesDesired } from "../model/matches-desired.ts";
import type { ObservedInstance } from "../model/observation.ts";
import { chooseInstance } from "./choose-instance.ts";
import type { PlanInput } from "./input.ts";
import { isSuperseded } from "./superseded.ts";

export interface SurgePair {
  /** It differs from what is wanted. */
  old: ObservedInstance;
  next: ObservedInstance;
}

/**
 * The state is not asked: after a lost disk the same rows say the same. Of several on one side the best counts. An instance whose contract
 * is stopped replaces nothing, and is no capacity that could be kept. A superseded provisioner finds the pair of the one that started
 * later, whatever its own strategy is.
 */
export function surgePair(instances: readonly ObservedInstance[], input: PlanInput): SurgePair | null {
  if (instances.length < 2 || (input.limits.updateStrategy !== "surge" && !isSuperseded(input))) return null;
  const runs = instances.filter(({ row }) => !stoppedByVast(phaseOf(row, row.createdAt ?? input.now, input.now)));
  const old = chooseInstance(
    runs.filter((one) => differs(one, input)),
    input,
  );
  const next = chooseInstance(
    runs.filter((one) => !differs(one, input)),
    input,
  );
  return old === null || next === null ? null : { old, next };
}

/** What a row does not report yet is no difference. */
function differs({ row }: ObservedInstance, { desired, state }: PlanInput): boolean {
  const { image, templateHash } = matchesDesired(row, desired, state.template);
  return image === "different" || templateHash === "different";
}
