// The form of a rule of the decision table, and the decision that changes nothing. Pure.
import type { UpstreamState } from "../../common/upstream-file.ts";
import type { Decision } from "../model/plan.ts";
import type { Reason } from "../model/reasons.ts";
import type { KeptInstance, Situation } from "./situation.ts";

// The next pass, in ms: twice the API's list interval, so that two pods with one key both get their lists.
export const NEXT_CHECK_MS = 2000;
// While the API gives no usable answer, more calls do not help.
export const UNKNOWN_MS = 5000;
// How often a serving instance is probed; the list is read far less often (observe/poll-schedule.ts).
export const SERVING_MS = 5000;
// Until an operator has acted, more calls do not help.
export const BLOCKED_MS = 15_000;

export interface Rule {
  /** The reason that the rule gives, or a word for several of them. */
  name: string;
  /** When the rule applies, for the decision table. */
  observed: string;
  /** What it decides, for the decision table. */
  plan: string;
  /** Null when the rule does not apply. */
  decide(situation: Situation): Decision | null;
}

/** A rule about the instance that is kept. */
export function withInstance(
  decide: (kept: KeptInstance, situation: Situation) => Decision | null,
): (situation: Situation) => Decision | null {
  return (situation) => (situation.kept === null ? null : decide(situation.kept, situation));
}

/** A rule for the case that there is no instance. */
export function withoutInstance(
  decide: (situation: Situation) => Decision | null,
): (situation: Situation) => Decision | null {
  return (situation) => (situation.instances.length > 0 ? null : decide(situation));
}

/** A decision without actions: what is served stays served. */
export function noChange(
  { serving, now }: Situation,
  reason: Reason,
  message: string,
  state: UpstreamState,
  waitMs = NEXT_CHECK_MS,
): Decision {
  return { reason, message, state, serving, actions: [], checkedAt: now, nextCheckAt: now + waitMs };
}
