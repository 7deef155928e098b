// What `run` would decide now, for the command `plan`: the same rules, and what would follow when the first list confirms or when an
// instance is gone. Pure.

import { lostMs, startState } from "../loop-state.ts";
import type { Desired, Limits, Policy } from "../model/desired.ts";
import type { Ban, Observation, Published } from "../model/observation.ts";
import { OURS } from "../model/ownership.ts";
import type { Action, Decision } from "../model/plan.ts";
import type { PlanInput } from "../plan/input.ts";
import { decide } from "../plan/plan.ts";
import { applyPolicy } from "../plan/policy.ts";
import { type KeptInstance, type Situation, situationOf } from "../plan/situation.ts";
import { type Requirements, requirements } from "../search/requirements.ts";
import { applyObservation } from "../state/apply-observation.ts";
import { avoidedAfter } from "../state/avoided.ts";
import { bidNow } from "../state/bids.ts";
import { emptyState, type State } from "../state/schema.ts";
import { continueAfterGap } from "../state/unobserved.ts";

export interface PlanReading {
  desired: Desired;
  limits: Limits;
  policy: Policy;
  firstCreateWaitMs: number;
  seen: Observation;
  /** Of the state file; null where it cannot be read here. */
  stored: State | null;
  /** What the upstream file holds. */
  published: Published;
  now: number;
}

export interface PlanDecision {
  situation: Situation;
  /** All that the rules want, whatever VAST_POLICY allows. */
  decision: Decision;
  suppressed: readonly Action[];
  /** Before a create another empty list is waited for. */
  confirmsFirst: boolean;
  /** What an offer must have; null while the template is unknown or does not exist. */
  needs: Requirements | null;
  /** The state with which offers are selected. */
  state: State;
}

/** What would be decided in the next pass. A lease of another provisioner is not asked for: the plan is that of its holder. */
export function decideForPlan(reading: PlanReading): PlanDecision {
  const { desired, limits, policy, seen, published, now } = reading;
  const state = stateNow(reading);
  const input: PlanInput = { desired, seen, state, ownership: OURS, now, limits };
  const first = decide(input, published);
  const confirmsFirst = first.reason === "confirming_none";
  const decided = confirmsFirst ? decide({ ...input, state: { ...state, confirmedNone: true } }, published) : first;
  const { suppressed } = applyPolicy(decided, policy);
  const template = seen.template.known ? seen.template.value : state.template;
  const bans = [...(seen.bans.known ? seen.bans.value : []), ...state.unwrittenBans, ...newBans(decided.actions)];
  return {
    situation: situationOf(input, published),
    decision: decided,
    suppressed,
    confirmsFirst,
    needs:
      template === null
        ? null
        : requirements(template, limits.maxDollarsPerHour, bans, bidNow(state, limits.bidding) ?? undefined),
    state: { ...state, avoided: [...state.avoided, ...newlyAvoided(state, decided.actions, now)] },
  };
}

/** Without a state file the complete list that was just read is all that is known. */
function stateNow({ stored, desired, seen, firstCreateWaitMs, now }: PlanReading): State {
  const before = stored ?? { ...emptyState(desired.label), confirmedNone: true };
  const { state } = continueAfterGap(before, seen, lostMs(startState(before, now), 0, now), now);
  return applyObservation(state, seen, desired, firstCreateWaitMs, now);
}

function newBans(actions: readonly Action[]): Ban[] {
  return actions.flatMap((action) =>
    action.kind === "ban" && action.target !== null ? [{ ...action.target, reason: action.reason }] : [],
  );
}

function newlyAvoided(state: State, actions: readonly Action[], now: number): State["avoided"] {
  return actions.flatMap((action) => (action.kind === "destroy" ? avoidedAfter(state, action, now) : []));
}

/** Whether the action destroys the instance that the pod keeps, so that another one is created. */
export function replacesKept(action: Action, kept: KeptInstance | null): boolean {
  return action.kind === "destroy" && kept !== null && action.id === kept.row.id;
}
