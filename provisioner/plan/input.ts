// What a plan is made from, and the plan that changes nothing. Pure.
import type { UpstreamState } from "../../common/upstream-file.ts";
import type { Desired, Limits } from "../model/desired.ts";
import type { Observation } from "../model/observation.ts";
import type { Ownership } from "../model/ownership.ts";
import type { Plan, Serving } from "../model/plan.ts";
import type { Reason } from "../model/reasons.ts";
import type { State } from "../state/schema.ts";

/** Everything a row of the table may look at. */
export interface PlanInput {
  desired: Desired;
  seen: Observation;
  state: State;
  /** Whose label it is, where Redis is there to tell. */
  ownership: Ownership;
  now: number;
  limits: Limits;
}

// How soon to look again, in ms: twice the API's list interval, so that two pods with one key still get their turns.
export const NEXT_CHECK_MS = 2000;
// While the API gives no answer or an operator has to act, more calls help nobody.
export const UNKNOWN_MS = 5000;
export const BLOCKED_MS = 15_000;

/** A plan without a mutation. What serves goes on serving under the given reason. */
export function noChange(
  facts: PlanInput,
  serving: Serving,
  reason: Reason,
  message: string,
  state: UpstreamState,
  waitMs = NEXT_CHECK_MS,
): Plan {
  return {
    reason,
    message,
    state,
    ...serving,
    actions: [],
    serving,
    checkedAt: facts.now,
    nextCheckAt: facts.now + waitMs,
  };
}
