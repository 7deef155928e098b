// How the kept instance differs from the desired image and template. Pure.
import type { Desired } from "../model/desired.ts";
import { matchesDesired } from "../model/matches-desired.ts";
import type { DestroyReason } from "../model/reasons.ts";
import { containerBefore, isChanging, updateOf } from "../state/updating.ts";
import type { Instance } from "../vast/rows.ts";
import type { KeptInstance, Situation } from "./situation.ts";
import { isSuperseded } from "./superseded.ts";

// No hash can mean that the API has not filled it in yet, or that the instance was made without a template: its age decides.
const NO_HASH_COUNTS_MS = 600_000;

export interface Difference {
  reason: Extract<DestroyReason, "image_changed" | "template_changed">;
  /** Compared with that of the last replacement, which is persisted. */
  wanted: string;
  reported: string;
}

/**
 * Null when there is none, or when it is not known, because a provisioner that started later wants something else. A container that is
 * being replaced is not judged by what its row shows.
 */
export function differenceOf({ row, track }: KeptInstance, situation: Situation): Difference | null {
  const { desired, state, now } = situation;
  if (isChanging(state, row.id) || isSuperseded(situation)) return null;
  const { image, templateHash } = matchesDesired(row, desired, state.template);
  if (image === "different")
    return { reason: "image_changed", wanted: `image ${desired.image}`, reported: `image ${row.image}` };
  const ageMs = now - (row.createdAt ?? track.firstSeenAt);
  const differs = templateHash === "different" || (templateHash === "not_reported" && ageMs >= NO_HASH_COUNTS_MS);
  if (state.template === null || (!differs && !isHalfUpdated(row, situation))) return null;
  if (!differs)
    return {
      reason: "template_changed",
      wanted: `template hash ${state.template.hash}`,
      reported: "an unfinished update",
    };
  return {
    reason: "template_changed",
    wanted: `template hash ${state.template.hash}`,
    reported: `template hash ${row.templateHash ?? "none"}`,
  };
}

/**
 * The row may show a template that was only prepared: the container is the old one, and would change with any restart. Where the old one is
 * what is wanted again, as the row is, nothing is to be done.
 */
function isHalfUpdated(row: Instance, { state, limits, desired }: Situation): boolean {
  const updating = updateOf(state, row.id);
  if (limits.updateStrategy !== "in-place" || updating === null) return false;
  const running = containerBefore(updating);
  return running === null || ![row, running].every((one) => isWanted(one, desired, state.template));
}

function isWanted(one: Pick<Instance, "image" | "templateHash">, desired: Desired, template: { hash: string } | null) {
  const { image, templateHash } = matchesDesired(one, desired, template);
  return image === "same" && templateHash === "same";
}
