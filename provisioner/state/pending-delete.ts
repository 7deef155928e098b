// The pending deletes: what is kept of each, and when its DELETE is sent again. Pure.
import * as z from "zod";
import { exponentialMs } from "../../common/backoff.ts";
import { type DestroyReason, UNLISTED_REASONS } from "../model/reasons.ts";

export const pendingDeleteSchema = z.object({
  id: z.int(),
  reason: z.string(),
  /** Epoch ms, as the other times here. */
  since: z.number(),
  /** When the DELETE was last sent and not refused; null before that. */
  deleteSentAt: z.number().nullable(),
  /** How many DELETEs in a row got no clear answer. */
  unanswered: z.int().min(0).optional(),
  /** How many DELETEs in a row the API refused although it stays pending, and when the last of them was. */
  refused: z.object({ at: z.number(), times: z.int().min(1) }).optional(),
  /** The API answered that the contract is destroyed or does not exist: needed for a contract that was never listed. */
  deleteConfirmed: z.boolean().optional(),
});
export type PendingDelete = z.infer<typeof pendingDeleteSchema>;

const DUPLICATE: DestroyReason = "duplicate";

// A destroy that was accepted takes effect within seconds.
const ACCEPTED_MS = 60_000;
// One without a clear answer may not have been carried out at all: the instance is billed until it is sent again.
const UNANSWERED_MS = { first: 5000, ceiling: 60_000 };
// A refusal ends when a person acts, who should not have to wait for long afterwards.
const REFUSED_MS = { first: 30_000, ceiling: 240_000 };

/** When its DELETE may be sent, or sent again (epoch ms); 0: at once. */
export function deleteDueAt({ deleteSentAt, deleteConfirmed, unanswered = 0, refused }: PendingDelete): number {
  const isClear = deleteConfirmed === true || unanswered === 0;
  const waitMs = isClear ? ACCEPTED_MS : exponentialMs(UNANSWERED_MS.first, UNANSWERED_MS.ceiling, unanswered);
  const afterSent = deleteSentAt === null ? 0 : deleteSentAt + waitMs;
  if (refused === undefined) return afterSent;
  return Math.max(afterSent, refused.at + exponentialMs(REFUSED_MS.first, REFUSED_MS.ceiling, refused.times));
}

/** A contract that was never listed is gone when the API says so, not when a list lacks it. */
export function needsConfirmation({ reason, deleteConfirmed }: PendingDelete): boolean {
  return UNLISTED_REASONS.has(reason) && deleteConfirmed !== true;
}

/**
 * Those that still hold when the program that decided them is gone. An instance was a duplicate beside one that served then, and that one
 * may have ended since: the lists show both, and which one is kept is decided anew. Where its DELETE was sent, the end is carried through.
 */
export function withoutUnsentDuplicates(pendingDeletes: readonly PendingDelete[]): PendingDelete[] {
  return pendingDeletes.filter(({ reason, deleteSentAt }) => reason !== DUPLICATE || deleteSentAt !== null);
}
