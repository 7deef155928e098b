// Takes back a destroy that the API refused a short time ago. Pure.
import type { Action, Decision } from "../model/plan.ts";
import { heldReplacement } from "../state/held-replacement.ts";
import { noChange } from "./rule.ts";
import type { Situation } from "./situation.ts";

/** The decision while the next attempt of a refused destroy waits. The instance is kept, and others are ended all the same. */
export function withoutHeldDestroy(decision: Decision, situation: Situation): Decision {
  const { state, now } = situation;
  const heldBy = (action: Action) =>
    action.kind === "destroy"
      ? heldReplacement(state, action.id, action.difference?.wanted ?? action.reason, now)
      : null;
  const held = decision.actions.map(heldBy).find((one) => one?.reason === "destroy_refused");
  if (held == null) return decision;
  const others = decision.actions.filter((action) => action.kind === "destroy" && action.id !== held.instanceId);
  if (others.length > 0) return { ...decision, actions: others };
  return noChange(situation, held.reason, held.message, "blocked", held.until - now);
}
