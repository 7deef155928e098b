// Whether this provisioner may create and destroy under its label, by what Redis answers about the label's lease. Pure.
import { CREATE_DEADLINE_MS } from "./deadlines.ts";

// The first line that applies decides; "before" is Redis' last answer since this process started.
// - the lease is ours: kept, or free and taken (new, expired, flushed)   act
// - another provisioner holds it and it has not expired                  blocked, whatever was before
// - no answer, before: ours                                              act: Redis denied it to all others before it went away
// - no answer, before: another provisioner's                             blocked: that one acts by the line above
// - no answer yet, for less than 120 s                                   wait: a predecessor's create is listed within that time
// - no answer yet, for longer                                            act, and log it

/** What Redis answers about the lease. Instants in epoch ms; `until` null: the lease never expires. */
export type LeaseAnswer =
  | { kind: "ours" }
  | { kind: "other"; owner: string; until: number | null }
  | { kind: "none"; why: string };

/**
 * Who may act under the label. `doubt`: why another provisioner may be acting as well, or null. `superseded`: one that started later has
 * had the lease meanwhile, so its image and template are wanted, whatever they are.
 */
export type Ownership =
  | { kind: "ours"; doubt: string | null; superseded?: boolean }
  | { kind: "other"; owner: string; until: number | null }
  /** `until` null: as long as the API does not name the account, by which the lease is named. */
  | { kind: "unknown"; why: string; until: number | null };

/** Without Redis no other provisioner is known. */
export const OURS: Ownership = { kind: "ours", doubt: null };

/** `last` is Redis' last answer, or null; `askedSince` is when this process first asked. */
export function ownershipBy(
  answer: LeaseAnswer,
  last: Exclude<LeaseAnswer, { kind: "none" }> | null,
  askedSince: number,
  now: number,
): Ownership {
  if (answer.kind === "ours") return OURS;
  if (answer.kind === "other") return answer;
  if (last?.kind === "ours") {
    return { kind: "ours", doubt: `the lease cannot be renewed (${answer.why}); continuing, because it was ours` };
  }
  if (last?.kind === "other") return last;
  const until = askedSince + CREATE_DEADLINE_MS;
  if (now < until) return { kind: "unknown", why: answer.why, until };
  const waited = `Redis has not answered for ${CREATE_DEADLINE_MS / 1000} s (${answer.why})`;
  return { kind: "ours", doubt: `${waited}; continuing without knowing whether another provisioner uses this label` };
}
