// What came of updates in place and of surges, from one state to the next: for the log and the metrics. Touches the log.
import type { Logger } from "../../common/logging.ts";
import type { State } from "../state/schema.ts";
import { logBidReturn } from "./bid-returns.ts";

/**
 * - `recycled`: the container is being replaced
 * - `done`: the updated instance serves, or in a surge the new one
 * - `undone`: the new container did not come up, and the one of before serves again
 * - `failed`: the instance is replaced instead; of a surge, the new instance did not come up
 * - `postponed`: it is tried again later
 */
export const UPDATE_OUTCOMES = ["recycled", "done", "undone", "failed", "postponed"] as const;
export type UpdateOutcome = (typeof UPDATE_OUTCOMES)[number];

/** What has happened in a pass. */
export function updateOutcomes(before: State, after: State): UpdateOutcome[] {
  const { updating: now, tracks, heldReplacement: held } = after;
  const { updating: old } = before;
  const outcomes: UpdateOutcome[] = [];
  const recycledAt = now?.recycledAt ?? null;
  if (recycledAt !== null && recycledAt !== old?.recycledAt) outcomes.push("recycled");
  if (now === null && old !== null && old.recycledAt !== null && tracks[old.instanceId]?.serving === true)
    outcomes.push(old.undo === null ? "done" : "undone");
  if (now !== null && now.failed !== null && now.failed !== old?.failed) outcomes.push("failed");
  const surge = surgeOutcome(before, after);
  if (surge !== null) outcomes.push(surge);
  if (held?.reason === "update_refused" && held.until !== before.heldReplacement?.until) outcomes.push("postponed");
  return outcomes;
}

/** Counted when one of the two is gone. One for the end of a contract, or for a bid (bid-returns.ts), is no update. */
function surgeOutcome({ surge, heldReplacement: held }: State, after: State): UpdateOutcome | null {
  if (surge === null || surge.old.ends || surge.old.toBid || after.surge !== null) return null;
  if (surge.newId !== null && after.tracks[surge.newId]?.serving === true) return "done";
  const isHeld = after.heldReplacement?.reason === "update_failed" && after.heldReplacement.until !== held?.until;
  return isHeld ? "failed" : null;
}

/** What the log says about updates after a pass. */
export function logUpdates(log: Logger, before: State, after: State): void {
  logFailedUpdate(log, before, after);
  logBidReturn(log, before, after);
}

/** Says so when an update has failed: a person chose the strategy, and gets the other one. */
function logFailedUpdate(log: Logger, before: State, { updating }: State): void {
  if (updating === null || updating.failed === null || updating.failed === before.updating?.failed) return;
  const { instanceId, wanted, failed, undo, image } = updating;
  const what = undo === null ? `be updated in place to ${wanted}` : `go back to image ${image}`;
  log.warn(
    { event: "action", action: "update", instance: instanceId },
    `instance ${instanceId} cannot ${what}: ${failed}. It is replaced by another one (once VAST_POLICY and the market allow that)`,
  );
}
