// Why a serving instance is not replaced for a difference at the moment: it serves on, and the next attempt waits. Pure.
import { exponentialMs } from "../../common/backoff.ts";
import { HELD_REASONS, type State } from "./schema.ts";

export type HeldReplacement = NonNullable<State["heldReplacement"]>;
export type HeldReason = HeldReplacement["reason"];

export const isHeldReason = (word: string): word is HeldReason => HELD_REASONS.some((reason) => reason === word);

const MINUTE_MS = 60_000;
// The wait doubles from the first to the ceiling. Each attempt to destroy or update withdraws the server for the drain: a right that is
// missing needs a person, who should not have to wait longer than this afterwards.
const REFUSED_MS = { first: MINUTE_MS, ceiling: 30 * MINUTE_MS };
// What shows that a refusal is over has misled once: each attempt costs a drain again.
const IN_SPITE_MS = { first: 10 * MINUTE_MS, ceiling: 60 * MINUTE_MS };
// Asking whether an instance can be created costs a search and interrupts nothing.
const NOT_POSSIBLE_MS = { first: MINUTE_MS / 2, ceiling: 10 * MINUTE_MS };
// What is wanted does not work, as a rule until a person corrects it: that is another value, and is tried at once.
const FAILED_MS = { first: 20 * MINUTE_MS, ceiling: 120 * MINUTE_MS };

/** The instance was to be destroyed or updated, and the attempt may have interrupted it. */
export function wasRefused(reason: HeldReason): boolean {
  return reason === "destroy_refused" || reason === "update_refused";
}

/**
 * The next attempt to replace `instanceId` by `wanted` waits, longer with each failure of the same kind. `soon`: what is wanted works, and
 * another attempt may succeed at any time, or costs nothing.
 */
export function holdReplacement(
  state: State,
  held: Pick<HeldReplacement, "instanceId" | "wanted" | "reason" | "message">,
  now: number,
  soon = false,
): State {
  const before = state.heldReplacement;
  const same = before?.instanceId === held.instanceId && before.wanted === held.wanted && before.reason === held.reason;
  const failures = same ? before.failures + 1 : 1;
  const inSpite = !soon && wasRefused(held.reason) ? (state.refusedEnd?.inSpite ?? 0) : 0;
  const { first, ceiling } = soon ? NOT_POSSIBLE_MS : inSpite > 0 ? IN_SPITE_MS : waitsFor(held.reason);
  const until = now + exponentialMs(first, ceiling, inSpite > 0 ? inSpite : failures);
  return { ...state, heldReplacement: { ...held, failures, until } };
}

function waitsFor(reason: HeldReason): { first: number; ceiling: number } {
  if (reason === "update_failed") return FAILED_MS;
  return wasRefused(reason) ? REFUSED_MS : NOT_POSSIBLE_MS;
}

/** Null when the instance may be replaced by `wanted` now. */
export function heldReplacement(
  { heldReplacement: held }: Pick<State, "heldReplacement">,
  instanceId: number,
  wanted: string,
  now: number,
): HeldReplacement | null {
  if (held === null || held.instanceId !== instanceId || held.wanted !== wanted || held.until <= now) return null;
  return held;
}
