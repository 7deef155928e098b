// How the kept instance differs from the desired image and template. Pure.
import { matchesDesired } from "../model/matches-desired.ts";
import type { DestroyReason } from "../model/reasons.ts";
import type { KeptInstance, Situation } from "./situation.ts";

// No hash can mean that the API has not filled it in yet, or that the instance was made without a template: its age decides.
const NO_HASH_COUNTS_MS = 600_000;

export interface Difference {
  reason: Extract<DestroyReason, "image_changed" | "template_changed">;
  /** Compared with that of the last replacement, which is persisted. */
  wanted: string;
  reported: string;
}

/** Null when there is none, or when it is not known yet. */
export function differenceOf({ row, track }: KeptInstance, { desired, state, now }: Situation): Difference | null {
  const { image, templateHash } = matchesDesired(row, desired, state.template);
  if (image === "different")
    return { reason: "image_changed", wanted: `image ${desired.image}`, reported: `image ${row.image}` };
  const ageMs = now - (row.createdAt ?? track.firstSeenAt);
  const differs = templateHash === "different" || (templateHash === "not_reported" && ageMs >= NO_HASH_COUNTS_MS);
  if (!differs || state.template === null) return null;
  return {
    reason: "template_changed",
    wanted: `template hash ${state.template.hash}`,
    reported: `template hash ${row.templateHash ?? "none"}`,
  };
}
