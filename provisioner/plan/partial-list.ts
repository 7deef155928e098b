// What may not be done while only one instance is known by its id and the list is not. Pure.
import { type Action, type Decision, givesUpServer, withoutActions } from "../model/plan.ts";
import { UNKNOWN_MS } from "./rule.ts";
import type { Situation } from "./situation.ts";

const NEEDS_WHOLE_LIST: ReadonlySet<Action["kind"]> = new Set([
  "create",
  "update",
  "forget_intent",
  "check_replacement",
  "look_for_bid",
]);

/**
 * The decision that may be carried out. Another instance can only be created by a list, so what serves is not given up before; and only
 * the instance whose row has come may be destroyed.
 */
export function withPartialList(decision: Decision, { seen, instances }: Situation): Decision {
  const { partial } = seen;
  if (partial === undefined) return decision;
  const isForbidden = (action: Action) =>
    NEEDS_WHOLE_LIST.has(action.kind) ||
    (action.kind === "destroy" && !instances.some(({ row }) => row.id === action.id));
  if (!givesUpServer(decision) && !decision.actions.some(isForbidden)) return decision;
  return withoutActions(decision, `waiting for the instance list, which is unknown: ${partial.message}`, UNKNOWN_MS);
}
