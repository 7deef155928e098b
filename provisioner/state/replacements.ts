// Replacements for a difference: how many there may be, and when one has proven that it helped. Pure.
import type { DestroyAction } from "../model/plan.ts";
import type { State } from "./schema.ts";

const HOUR_MS = 3_600_000;
// One change and its correction within an hour. A difference that comes back again and again costs no more than this.
const PER_HOUR = 2;
// A row can agree while it boots, and report its image in other words, or belong to somebody else, a minute later.
const PROVEN_MS = 300_000;

/** What a replacement for a difference leaves behind. */
export function replacedFor(
  state: State,
  difference: DestroyAction["difference"],
  revision: string,
  now: number,
): State {
  const replacements = [...state.replacements, { at: now, revision }];
  return { ...state, replacements, converging: difference === undefined ? null : { ...difference } };
}

// As the revision of a replacement; no image and no template can be called so.
const CONTRACT_ENDS = "contract end";

/** What a replacement for the end of a contract leaves behind. It says nothing about image and template. */
export function replacedForEnd(state: State, now: number): State {
  return { ...state, replacements: [...state.replacements, { at: now, revision: CONTRACT_ENDS }] };
}

/** Two contracts within an hour ended early: what the API says about ends is not worth another instance. */
export function mayReplaceForEnd(state: State, now: number): boolean {
  return recentReplacements(state, now).filter(({ revision }) => revision === CONTRACT_ENDS).length < PER_HOUR;
}

export function recentReplacements({ replacements }: State, now: number): State["replacements"] {
  return replacements.filter(({ at }) => now - at < HOUR_MS);
}

/**
 * Epoch ms at which the next replacement is allowed, or null when it is allowed now. The first one for a revision always is: it is
 * the operator's own change.
 */
export function replacementAllowedAt(state: State, revision: string, now: number): number | null {
  const recent = recentReplacements(state, now).filter((one) => one.revision !== CONTRACT_ENDS);
  const nth = recent[recent.length - PER_HOUR];
  if (nth === undefined || !recent.some((one) => one.revision === revision)) return null;
  return nth.at + HOUR_MS;
}

/** `agrees`: an instance serves and is as wanted. The difference is forgotten when that has lasted for a while. */
export function afterAgreement(before: State["converging"], agrees: boolean, now: number): State["converging"] {
  if (before === null) return null;
  const { agreedSince = now, wanted, reported } = before;
  if (!agrees) return { wanted, reported };
  return now - agreedSince >= PROVEN_MS ? null : { wanted, reported, agreedSince };
}
