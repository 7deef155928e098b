// The input as the rules read it: which instance is kept, and what is served. Pure.
import { describe } from "../model/describe.ts";
import { type InstancePhase, phaseOf } from "../model/instance-phase.ts";
import type { ObservedInstance, Published } from "../model/observation.ts";
import { NOT_SERVING, type Serving } from "../model/plan.ts";
import type { State, Track } from "../state/schema.ts";
import { recycledSince } from "../state/updating.ts";
import type { Instance } from "../vast/rows.ts";
import { chooseInstance } from "./choose-instance.ts";
import { withEvidence } from "./evidence.ts";
import type { PlanInput } from "./input.ts";
import { servingNow, servingWhileUnknown } from "./serving.ts";
import { wantedBy } from "./superseded.ts";
import { surgePair } from "./surge-pair.ts";

export interface Situation extends PlanInput {
  /** The listed instances that are not being destroyed. */
  instances: readonly ObservedInstance[];
  /** The one of them that is kept; null when there is none, or when the state does not know it. */
  kept: KeptInstance | null;
  /** An outdated instance and its replacement: the outdated one is kept until the other one serves. */
  surge: { old: KeptInstance; next: KeptInstance } | null;
  serving: Serving;
}

export interface KeptInstance extends ObservedInstance {
  /** For messages. */
  name: string;
  track: Track;
  phase: InstancePhase;
}

/** `published` is what the upstream file holds now. */
export function situationOf(input: PlanInput, published: Published): Situation {
  const { seen, state } = input;
  if (!seen.list.known) return withParts(input, [], null, null, servingWhileUnknown(input, published));
  const instances = seen.instances.filter(({ row }) => !state.pendingDeletes.some((d) => d.id === row.id));
  const wanted = wantedBy(input, instances);
  const pair = surgePair(instances, wanted);
  const [old, next] = [pair && keptOf(pair.old, input), pair && keptOf(pair.next, input)];
  const surge = old === null || next === null ? null : { old, next };
  const best = surge === null ? chooseInstance(instances, wanted) : surge.next.track.serving ? surge.next : surge.old;
  if (best === null) return withParts(input, instances, null, surge, NOT_SERVING);
  return withParts(input, instances, keptOf(best, input), surge, servingNow(best.row, input));
}

/** Field by field: after a spread, further fields would give each object a hidden class of its own in Node 20, which takes 3 us. */
function withParts(
  { desired, seen, state, ownership, now, limits }: PlanInput,
  instances: Situation["instances"],
  kept: Situation["kept"],
  surge: Situation["surge"],
  serving: Serving,
): Situation {
  return { desired, seen, state, ownership, now, limits, instances, kept, surge, serving };
}

function keptOf({ row, endpoint, probe }: ObservedInstance, input: PlanInput): KeptInstance | null {
  const track = input.state.tracks[row.id];
  if (track === undefined) return null;
  return { row, endpoint, probe, name: describe(row), track, phase: phaseWithEvidence(row, track, input) };
}

/** The situation as if this were the only instance. */
export function onlyWith(one: KeptInstance, situation: Situation): Situation {
  return { ...situation, instances: [one], kept: one, surge: null, serving: servingNow(one.row, situation) };
}

function phaseWithEvidence(row: Instance, track: Track, { state, now }: PlanInput): InstancePhase {
  return withEvidence(phaseOf(row, startedAt(row, track, state), now), { row, track }, state);
}

function startedAt({ id, createdAt }: Instance, { firstSeenAt }: Track, state: State): number {
  return recycledSince(state, id) ?? createdAt ?? firstSeenAt;
}
