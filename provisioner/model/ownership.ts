import { CREATE_DEADLINE_MS } from "./deadlines.ts";

// Whether this provisioner may create and destroy under its label, by what Redis says of the label's lease. Pure.
//
// First match wins; "last" is what Redis last answered in this process' life:
//  1 ours: kept, or free and taken (new, expired, flushed)   act
//  2 somebody else's, not yet expired                        blocked, whatever was before
//  3 no answer, last: ours                                   act: who else might was told so by Redis before it went away
//  4 no answer, last: somebody else's                        blocked: that one goes on by row 3
//  5 no answer, never any, for less than 120 s               wait: a create of a predecessor shows within that time
//  6 no answer, never any, for longer                        act, and say so
/** What Redis says of the lease. Instants in epoch ms; `until` null: it never expires by itself. */
export type LeaseAnswer =
  | { kind: "ours" }
  | { kind: "other"; owner: string; until: number | null }
  | { kind: "none"; why: string };

/** Whose label it is. `doubt` tells why it is not certain that nobody else acts, or is null. */
export type Ownership =
  | { kind: "ours"; doubt: string | null }
  | { kind: "other"; owner: string; until: number | null }
  | { kind: "unknown"; why: string; until: number };

/** Without Redis nobody else is known of. */
export const OURS: Ownership = { kind: "ours", doubt: null };

/** `last` is the latest answer that was one, or null; `askedSince` is when this process first asked. */
export function ownershipBy(
  answer: LeaseAnswer,
  last: Exclude<LeaseAnswer, { kind: "none" }> | null,
  askedSince: number,
  now: number,
): Ownership {
  if (answer.kind === "ours") return OURS;
  if (answer.kind === "other") return answer;
  if (last?.kind === "ours") {
    return { kind: "ours", doubt: `the lease cannot be renewed (${answer.why}): going on, since it was ours` };
  }
  if (last?.kind === "other") return last;
  const until = askedSince + CREATE_DEADLINE_MS;
  if (now < until) return { kind: "unknown", why: answer.why, until };
  const waited = `Redis gave no answer for ${CREATE_DEADLINE_MS / 1000} s (${answer.why})`;
  return { kind: "ours", doubt: `${waited}: going on without knowing whether another provisioner has this label` };
}
