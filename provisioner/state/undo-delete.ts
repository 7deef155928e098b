// Takes back a pending delete that the API refuses for the account's sake. Pure.

import type { DestroyReason } from "../model/reasons.ts";
import { needsConfirmation } from "./pending-delete.ts";
import type { State } from "./schema.ts";

const ORDERED: DestroyReason = "operator";

// An earlier DELETE without an answer may have taken effect: an instance that is still listed this long after it lives on.
const TAKES_EFFECT_MS = 60_000;

/**
 * The instance is decided about anew, and serves again if it answers: until a person mends the account it could otherwise be billed for
 * hours and serve nobody. A difference for which it was to be replaced has not been replaced. It stays pending beside another instance,
 * which must not become the duplicate of one that was given up; when it was never listed, because no pass could find it again; and when an
 * operator ordered its end.
 */
export function withoutRefusedDelete(state: State, id: number, now: number): State {
  const pending = state.pendingDeletes.find((one) => one.id === id);
  if (pending === undefined || needsConfirmation(pending) || pending.deleteConfirmed === true) return state;
  if (pending.reason === ORDERED) return state;
  if (Object.keys(state.tracks).length > 0 || state.intent !== null) return state;
  if (pending.deleteSentAt !== null && now - pending.deleteSentAt < TAKES_EFFECT_MS) return state;
  const next = { ...state, pendingDeletes: state.pendingDeletes.filter((one) => one !== pending) };
  const replacements = state.replacements.filter(({ at }) => at < pending.since);
  switch (pending.reason) {
    case "image_changed":
    case "template_changed":
      return { ...next, converging: null, replacements };
    case "contract_ending":
      return { ...next, replacements };
    default:
      return next;
  }
}
