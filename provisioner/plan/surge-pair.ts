// Which two instances belong to a surge: an outdated one and its replacement, by their rows. Pure.
import { phaseOf, stoppedByVast } from "../model/instance-phase.ts";
import { matchesDesired } from "../model/matches-desired.ts";
import type { ObservedInstance } from "../model/observation.ts";
import { chooseInstance } from "./choose-instance.ts";
import { endsSoon } from "./contract-margin.ts";
import type { PlanInput } from "./input.ts";
import { isSuperseded } from "./superseded.ts";

export interface SurgePair {
  /** It differs from what is wanted, or its contract ends, or it is on demand where a bid is wanted. */
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
  return (
    pairBy((one) => differs(one, input), runs, input) ??
    pairBy(isEnding(runs, input), runs, input) ??
    pairBy(isOnDemand(runs, input), runs, input)
  );
}

function pairBy(
  isOld: (one: ObservedInstance) => boolean,
  runs: readonly ObservedInstance[],
  input: PlanInput,
): SurgePair | null {
  const old = chooseInstance(runs.filter(isOld), input);
  const next = chooseInstance(
    runs.filter((one) => !isOld(one)),
    input,
  );
  return old === null || next === null ? null : { old, next };
}

/**
 * Of two that are equally right or wrong. The state, where it is not lost, knows which one it was: a row with a wrong date must not cost
 * the replacement.
 */
function isEnding(runs: readonly ObservedInstance[], input: PlanInput): (one: ObservedInstance) => boolean {
  const { old } = input.state.surge ?? { old: null };
  if (old?.ends && runs.some(({ row }) => row.id === old.id)) return ({ row }) => row.id === old.id;
  return ({ row }) => endsSoon(row, input);
}

/** As above, for a row that does not say that it is a bid. Without the state only a pod that falls back has both. */
function isOnDemand(runs: readonly ObservedInstance[], input: PlanInput): (one: ObservedInstance) => boolean {
  const { old } = input.state.surge ?? { old: null };
  if (old?.toBid && runs.some(({ row }) => row.id === old.id)) return ({ row }) => row.id === old.id;
  const mayBe = input.limits.bidding?.fallsBack === true || isSuperseded(input);
  return ({ row }) => mayBe && !row.isBid;
}

/** What a row does not report yet is no difference. */
function differs({ row }: ObservedInstance, { desired, state }: PlanInput): boolean {
  const { image, templateHash } = matchesDesired(row, desired, state.template);
  return image === "different" || templateHash === "different";
}
