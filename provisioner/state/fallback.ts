// A pod that wants bids and is on demand, because bids had failed (VAST_BID_FALLBACK): when it looks for a bid again. Pure.
//
// What comes of a look or an attempt is no trouble of the pod, which serves: nothing here makes another create wait.
import { exponentialMs } from "../../common/backoff.ts";
import { type Observation, wholeList } from "../model/observation.ts";
import type { Instance } from "../vast/rows.ts";
import type { State } from "./schema.ts";

export type Fallback = NonNullable<State["fallback"]>;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
// A look is one search, which counts against those that the creates of all pods need.
const LOOK_MS = { first: 15 * MINUTE_MS, ceiling: 2 * HOUR_MS };
// An attempt costs the start of an instance.
const ATTEMPT_MS = { first: HOUR_MS, ceiling: 24 * HOUR_MS };
/** The longest wait of all. */
export const LONGEST_RETURN_WAIT_MS = ATTEMPT_MS.ceiling;
/** What a look has found is worth an attempt for this long. */
export const FOUND_MS = LOOK_MS.first;

/** After a list: the instances in `rented` are those of creates that the list has resolved. */
export function fallbackAfterList(
  { fallback: before }: Pick<State, "fallback">,
  own: readonly { row: Instance }[],
  rented: readonly number[],
  seen: Observation,
  now: number,
): State["fallback"] {
  const begun = { instanceIds: [], since: now, looks: 0, attempts: 0, until: now + LOOK_MS.first, found: null };
  const fallback = before ?? (rented.length > 0 ? begun : null);
  // One list may leave rows out by mistake; and between two instances the pod is still one that has fallen back.
  if (fallback === null || wholeList(seen) === null || own.length === 0) return fallback;
  const known = [...new Set([...fallback.instanceIds, ...rented])];
  const instanceIds = known.filter((id) => own.some(({ row }) => row.id === id));
  if (instanceIds.length === 0) return null;
  return instanceIds.join() === fallback.instanceIds.join() ? fallback : { ...fallback, instanceIds };
}

/** A look found an instance for this price ($/h with its disk). */
export function bidFound(state: State, dollarsPerHour: number, now: number): State {
  const { fallback } = state;
  if (fallback === null) return state;
  return { ...state, fallback: { ...fallback, found: { dollarsPerHour, at: now }, until: now + LOOK_MS.first } };
}

/** A look found nothing that is cheap enough, or an attempt created nothing: the next look waits, longer each time. */
export function nothingFound(state: State, now: number): State {
  const { fallback } = state;
  if (fallback === null) return state;
  const looks = fallback.looks + 1;
  const until = now + exponentialMs(LOOK_MS.first, LOOK_MS.ceiling, looks);
  return { ...state, fallback: { ...fallback, looks, until, found: null } };
}

/** An attempt has begun: an instance was created, or may have been. */
export function returnBegun(state: State): State {
  return state.fallback === null ? state : { ...state, fallback: { ...state.fallback, looks: 0, found: null } };
}

/** The instance of an attempt did not come up. */
export function returnFailed(state: State, now: number): State {
  const { fallback } = state;
  if (fallback === null) return state;
  const attempts = fallback.attempts + 1;
  const until = now + exponentialMs(ATTEMPT_MS.first, ATTEMPT_MS.ceiling, attempts);
  return { ...state, fallback: { ...fallback, attempts, looks: 0, until, found: null } };
}

/** The state `after` the create of an attempt. Where it rented nothing, the next create and the account are as they were `before`. */
export function afterReturnCreate(before: State, after: State, outcome: string, now: number): State {
  if (outcome === "create_interrupted") return after;
  if (after.intent !== null) return returnBegun(after);
  const { backoff, account } = before;
  return nothingFound({ ...after, backoff, account }, now);
}
