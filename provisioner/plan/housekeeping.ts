// What is done besides the decision about the instance: pending deletes, lost contracts, the ban store. Pure.
import { banOf, banTarget, sameBan } from "../model/bans.ts";
import { CREATE_DEADLINE_MS } from "../model/deadlines.ts";
import { type Ban, wholeList } from "../model/observation.ts";
import type { Action } from "../model/plan.ts";
import { deleteDueAt, needsConfirmation } from "../state/pending-delete.ts";
import type { Instance } from "../vast/rows.ts";
import type { PlanInput } from "./input.ts";
import type { Situation } from "./situation.ts";

// After this long an instance that is being destroyed no longer prevents a create.
const PENDING_DELETE_BLOCKS_MS = 120_000;
// The ban store keeps whole seconds.
const STORED_UNIT_MS = 1000;

/** Pending deletes that were never sent, or were sent a while ago and are still listed or unconfirmed. */
export function pendingDeleteActions({ seen, state, now }: PlanInput): Action[] {
  const rows = wholeList(seen);
  if (rows === null) return [];
  const listed = new Map(rows.map((row) => [row.id, row]));
  return state.pendingDeletes
    .filter((d) => d.deleteSentAt === null || listed.has(d.id) || needsConfirmation(d))
    .filter((d) => now >= deleteDueAt(d))
    .map((d) => {
      const row = listed.get(d.id);
      return {
        kind: "destroy",
        id: d.id,
        hostId: row?.hostId ?? null,
        machineId: row?.machineId ?? null,
        reason: "still_listed",
      };
    });
}

/** A created contract that was not listed within its deadline although another instance of the label is. */
export function lostContractActions({ instances, seen, state, now }: Situation): Action[] {
  const { intent } = state;
  if (seen.partial !== undefined || instances.length === 0 || intent === null || intent.contract === null) return [];
  if (now - intent.startedAt < CREATE_DEADLINE_MS) return [];
  return [{ kind: "destroy", id: intent.contract, hostId: null, machineId: null, reason: "create_never_appeared" }];
}

/** True while a pending delete was never sent or is still listed, and is young enough to prevent a create. */
export function pendingDeleteBlocksCreate({ seen, state, now }: PlanInput): boolean {
  const rows = wholeList(seen);
  if (rows === null) return true;
  const listed = new Set(rows.map((row) => row.id));
  return state.pendingDeletes.some(
    (d) => (d.deleteSentAt === null || listed.has(d.id)) && now - d.since < PENDING_DELETE_BLOCKS_MS,
  );
}

/** What the ban store does not hold yet: bans that could not be written, waits that began or ended, restarts, and their ban. */
export function banStoreActions({ instances, seen, state, limits }: Situation): Action[] {
  const unwritten = seen.bans.known ? state.unwrittenBans : [];
  const written = unwritten.map(
    ({ kind, id, reason, instanceId }): Action => ({ kind: "ban", target: { kind, id }, instanceId, reason }),
  );
  const ofInstances = instances.flatMap(({ row }): Action[] => {
    const actions: Action[] = [];
    const track = state.tracks[row.id];
    const storedSince = seen.counters.get(row.id)?.waitingSince;
    if (track !== undefined && !track.wasReady && storedSince !== undefined) {
      const { waitingSince: since, unobservedMs } = track;
      if (storedSince === null) actions.push({ kind: "start_waiting", instanceId: row.id, since });
      // A pod that has lost its volume knows of no pause: the wait that it finds must be the one that was observed.
      else if (unobservedMs > 0 && since - storedSince >= STORED_UNIT_MS)
        actions.push({ kind: "postpone_waiting", instanceId: row.id, since });
    }
    // The next pod of this name must not find a wait that is over: it would destroy a good instance at once.
    if (track?.serving && (seen.counters.get(row.id)?.waitingSince ?? null) !== null) {
      actions.push({ kind: "stop_waiting", instanceId: row.id });
    }
    const times = track?.uncountedRestarts ?? 0;
    if (times > 0) actions.push({ kind: "count_restart", instanceId: row.id, times });
    if (tooManyRestarts(row, { seen, limits }) && banOn(row, { seen }) === undefined) {
      const target = banTarget(row, limits.banScope);
      if (target === null || !unwritten.some((ban) => sameBan(ban, target)))
        actions.push({ kind: "ban", target, instanceId: row.id, reason: "too_many_restarts" });
    }
    return actions;
  });
  return [...written, ...ofInstances];
}

export function tooManyRestarts(row: Instance, { seen, limits }: Pick<PlanInput, "seen" | "limits">): boolean {
  return limits.bansEnabled && (seen.counters.get(row.id)?.restarts ?? 0) > limits.restartThreshold;
}

/** The ban of the instance's host or machine. */
export function banOn(row: Instance, { seen }: Pick<PlanInput, "seen">): Ban | undefined {
  return seen.bans.known ? banOf(row, seen.bans.value) : undefined;
}
