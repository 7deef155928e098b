// What must be possible before an instance that serves is given up. Pure.
import type { Limits } from "./desired.ts";
import type { DestroyAction } from "./plan.ts";

/**
 * Whether another instance must be possible before this one, which serves, is destroyed. VAST_UPDATE_PRECHECK is about updates only: an
 * instance whose contract ends serves until its end, and is not given up for nothing.
 */
export function isPrechecked(
  { reason, difference }: DestroyAction,
  { updatePrecheck }: Pick<Limits, "updatePrecheck">,
): boolean {
  return difference !== undefined && (reason === "contract_ending" || updatePrecheck === "offer");
}
