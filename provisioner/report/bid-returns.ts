// What came of a pod's fallback to a price on demand, from one state to the next: for the log and the metrics. Touches the log.
import type { Logger } from "../../common/logging.ts";
import type { State } from "../state/schema.ts";

/** `done`: an instance with a bid serves in place of the one on demand. `failed`: it did not come up, and the pod is as before. */
export const RETURN_OUTCOMES = ["done", "failed"] as const;

/** What came of an attempt to go back to a bid in this pass, or null. An instance on demand that is lost meanwhile is neither. */
export function returnOutcome({ surge, fallback }: State, after: State): (typeof RETURN_OUTCOMES)[number] | null {
  if (surge?.old.toBid !== true || after.surge !== null) return null;
  if (surge.newId !== null && after.tracks[surge.newId]?.serving === true) return "done";
  return (after.fallback?.attempts ?? 0) > (fallback?.attempts ?? 0) ? "failed" : null;
}

/** Whether the pod has rented on demand in this pass because bids had failed. */
export function fellBack({ fallback: before }: State, { fallback: after }: State): boolean {
  return (after?.instanceIds ?? []).some((id) => before === null || !before.instanceIds.includes(id));
}

/** Says once what came of an attempt: it is nobody's task, so it is no warning. */
export function logBidReturn(log: Logger, before: State, after: State): void {
  const { surge } = before;
  const outcome = returnOutcome(before, after);
  if (surge === null || outcome === null) return;
  const { id, wanted } = surge.old;
  const instance = surge.newId ?? id;
  const line = { event: "action", action: "surge", instance } as const;
  if (outcome === "done") {
    log.info(line, `back to ${wanted}: instance ${instance} serves in place of ${id}`);
    return;
  }
  const next =
    after.fallback === null ? "" : `; the next attempt is at ${new Date(after.fallback.until).toISOString()}`;
  log.info(line, `not back to ${wanted}: the new instance did not come up, and instance ${id} serves on${next}`);
}
