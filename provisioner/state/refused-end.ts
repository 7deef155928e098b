// What is known about writes that the API refuses for the sake of the account or the key: while that may go on, nothing that serves is
// withdrawn for its end. Pure: records facts.
import type { State } from "./schema.ts";

// From the rehearsal to the end there is the drain, and sometimes a wait for a fresh list. Later, something may have changed again.
const REHEARSAL_HOLDS_MS = 60_000;

/** The API refused a write that takes nothing from what serves. */
export function writeRefused(state: State): State {
  return { ...state, refusedEnd: { rehearsedAt: null, inSpite: state.refusedEnd?.inSpite ?? 0 } };
}

/** The API refused to destroy or update an instance. */
export function endRefused(state: State): State {
  const { refusedEnd } = state;
  const inSpite = refusedEnd === null ? 0 : refusedEnd.inSpite + Number(refusedEnd.rehearsedAt !== null);
  return { ...state, refusedEnd: { rehearsedAt: null, inSpite } };
}

/** The API took a call that changes nothing. */
export function rehearsed(state: State, now: number): State {
  return { ...state, refusedEnd: { rehearsedAt: now, inSpite: state.refusedEnd?.inSpite ?? 0 } };
}

/** The API has done what it refused before. */
export function writeTaken(state: State): State {
  return state.refusedEnd === null ? state : { ...state, refusedEnd: null };
}

/** Whether the API has to take a call that changes nothing before something that serves is withdrawn for its end. */
export function mustRehearse({ refusedEnd }: Pick<State, "refusedEnd">, now: number): boolean {
  if (refusedEnd === null) return false;
  return refusedEnd.rehearsedAt === null || now - refusedEnd.rehearsedAt > REHEARSAL_HOLDS_MS;
}
