// Where the API has refused the end of what serves for the account's sake: nothing is withdrawn before it takes changes again. Pure.
import type { Observation } from "../model/observation.ts";
import { type Action, type Decision, endOfServer, givesUpServer, withoutActions } from "../model/plan.ts";
import { mustRehearse } from "../state/refused-end.ts";
import type { State } from "../state/schema.ts";
import { NEXT_CHECK_MS } from "./rule.ts";

/** The call that shows it, with the label of the row by which the end was decided; null where nothing that serves is given up. */
export function rehearsalOf(
  decision: Decision,
  { instances }: Pick<Observation, "instances">,
): Extract<Action, { kind: "rehearse" }> | null {
  const ends = endOfServer(decision);
  const label = instances.find(({ row }) => row.id === ends?.id)?.row.label ?? null;
  return ends === null || label === null ? null : { kind: "rehearse", ends, label };
}

/** The decision that may be carried out: what could not be rehearsed is not begun. */
export function untilRehearsed(decision: Decision, state: State, now: number): Decision {
  if (!givesUpServer(decision) || !mustRehearse(state, now)) return decision;
  return withoutActions(decision, "not before the API takes changes again", NEXT_CHECK_MS);
}
