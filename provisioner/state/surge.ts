// A replacement that comes up while the outdated instance serves. Pure: records facts.
//
// It begins with the intent of a create that names the outdated instance. Which two instances belong together is decided from the rows
// (plan/surge-pair.ts), so that a lost disk does not end it; what is kept here is what follows from a failure.
import type { Observation, ObservedInstance } from "../model/observation.ts";
import { returnFailed } from "./fallback.ts";
import { holdReplacement } from "./held-replacement.ts";
import { replacedFor, replacedForEnd } from "./replacements.ts";
import type { State } from "./schema.ts";

export type Surge = NonNullable<State["surge"]>;

/** Before the intent is resolved by the list: a surge that it began counts as a replacement for its difference. */
export function surgeOfIntent(state: State, revision: string): State {
  const { intent, surge } = state;
  if (intent?.besides === undefined) return state;
  const { besides: old, contract: newId, startedAt: since } = intent;
  if (surge?.since === since) return newId === null ? state : { ...state, surge: { ...surge, newId } };
  const { wanted, reported } = old;
  const begun = { ...state, surge: { old, newId, since } };
  if (old.toBid) return begun;
  return old.ends ? replacedForEnd(begun, since) : replacedFor(begun, { wanted, reported }, revision, since);
}

/**
 * After a whole list. With the outdated instance gone it is over; with the replacement gone it has failed: the next attempt waits, unless
 * the replacement was ended because it differed, too. Of one that was to go back to a bid nothing is held. `pendingDeletes`: those before
 * the list, which may show that they are over.
 */
export function surgeAfterList(
  state: State,
  own: readonly ObservedInstance[],
  seen: Observation,
  pendingDeletes: State["pendingDeletes"],
  now: number,
): State {
  const { surge, intent } = state;
  if (surge === null || seen.partial !== undefined || own.length === 0) return state; // one list may leave rows out by mistake
  const { old } = surge;
  if (!own.some(({ row }) => row.id === old.id)) return { ...state, surge: null };
  const newId = surge.newId ?? own.find(({ row }) => row.id > old.id)?.row.id ?? null;
  if (own.some(({ row }) => row.id === newId)) return { ...state, surge: { ...surge, newId } };
  if (intent !== null) return state;
  if (old.toBid) return returnFailed({ ...state, surge: null }, now);
  const ended = pendingDeletes.find(({ id }) => id === newId);
  if (ended?.reason === "duplicate") return { ...state, surge: null };
  return surgeFailed({ ...state, surge }, ended?.reason ?? "it is not listed", now);
}

function surgeFailed(state: State, why: string, now: number): State {
  const { surge } = state;
  if (surge === null) return state;
  const { old, newId, since } = surge;
  const { id: instanceId, wanted, reported } = old;
  const which = newId === null ? "the instance" : `instance ${newId}`;
  const message = `instance ${instanceId} has ${reported}, but ${wanted} is wanted; it serves on, because ${which} that was to replace it did not come up (${why}): check VAST_TEMPLATE_IMAGE, DOCKER_LOGIN and the template`;
  const replacements = state.replacements.filter(({ at }) => at !== since);
  const { ends = false } = old;
  const next = { ...state, surge: null, replacements, converging: ends ? state.converging : null };
  return holdReplacement(next, { instanceId, wanted, reason: "update_failed", message }, now, ends);
}
