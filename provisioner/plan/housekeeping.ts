// Rows 3, 4 and 10 of the table: what is done beside the decision about the one instance. Pure.
import { banOf, banTarget, sameBan } from "../model/bans.ts";
import { CREATE_DEADLINE_MS } from "../model/deadlines.ts";
import { sameImage } from "../model/image-reference.ts";
import { phaseOf } from "../model/instance-phase.ts";
import type { Ban } from "../model/observation.ts";
import type { Action } from "../model/plan.ts";
import { needsConfirmation } from "../state/apply-outcome.ts";
import type { Instance } from "../vast/rows.ts";
import type { PlanInput } from "./input.ts";

// A destroy takes effect within seconds; a row that is still there after a minute is asked for again.
const ASK_AGAIN_MS = 60_000;
// Row 3: after this long a row that was asked away no longer stands in the way of a new instance.
const PENDING_DELETE_BLOCKS_MS = 120_000;

/** The best of several rows: serving, then right image and hash, then running, then oldest. */
export function choose(rows: readonly Instance[], facts: PlanInput): Instance | null {
  return [...rows].sort((a, b) => compare(rank(b, facts), rank(a, facts)) || a.id - b.id)[0] ?? null;
}

function rank(row: Instance, { desired, state, now }: PlanInput): number[] {
  const track = state.tracks[row.id];
  const hash = state.template?.hash;
  const right = sameImage(desired.image, row.image) && (hash === undefined || row.templateHash === hash);
  const running = phaseOf(row, row.createdAt ?? now, now).phase === "running";
  return [Number(track?.serving ?? false), Number(right), Number(running)];
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [i, value] of a.entries()) {
    const difference = value - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Doomed rows that were never asked away, or a minute after are still listed, or wait for an answer as no list shows them. */
export function pendingDeleteActions({ seen, state, now }: PlanInput): Action[] {
  if (!seen.list.known) return [];
  const listed = new Map(seen.list.value.map((row) => [row.id, row]));
  return state.pendingDeletes
    .filter(
      (d) =>
        d.deleteSentAt === null || ((listed.has(d.id) || needsConfirmation(d)) && now - d.deleteSentAt >= ASK_AGAIN_MS),
    )
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

/** A contract of ours that was never listed although another row of our label is: rule 6 of creating holds for it too. */
export function lostContractActions({ seen, state, now }: PlanInput): Action[] {
  const { intent } = state;
  if (!seen.list.known || intent === null || intent.contract === null) return [];
  if (seen.list.value.length === 0 || now - intent.startedAt < CREATE_DEADLINE_MS) return [];
  return [{ kind: "destroy", id: intent.contract, hostId: null, machineId: null, reason: "create_never_appeared" }];
}

/** True while a doomed row is listed and young enough to stand in the way of a create. */
export function pendingDeleteBlocksCreate({ seen, state, now }: PlanInput): boolean {
  if (!seen.list.known) return true;
  const listed = new Set(seen.list.value.map((row) => row.id));
  return state.pendingDeletes.some(
    (d) => (d.deleteSentAt === null || listed.has(d.id)) && now - d.since < PENDING_DELETE_BLOCKS_MS,
  );
}

/** What the ban store does not know yet: since when an instance is waited for or that it no longer is, restarts, the ban of where it had too many, serving or not, and bans that it did not take before. */
export function banStoreActions(rows: readonly Instance[], { seen, state, limits }: PlanInput): Action[] {
  const late = seen.bans.known ? state.unwrittenBans : [];
  const written = late.map(
    ({ kind, id, reason, instanceId }): Action => ({ kind: "ban", target: { kind, id }, instanceId, reason }),
  );
  const untold = rows.flatMap((row): Action[] => {
    const actions: Action[] = [];
    const track = state.tracks[row.id];
    if (track !== undefined && !track.wasReady && seen.counters.get(row.id)?.waitingSince === null) {
      actions.push({ kind: "start_waiting", instanceId: row.id, since: track.waitingSince });
    }
    // A wait that is over must not be found by the next pod of that name: it would end a good instance at first sight.
    if (track?.serving && (seen.counters.get(row.id)?.waitingSince ?? null) !== null) {
      actions.push({ kind: "stop_waiting", instanceId: row.id });
    }
    const times = track?.uncountedRestarts ?? 0;
    if (times > 0) actions.push({ kind: "count_restart", instanceId: row.id, times });
    if (tooManyRestarts(row, { seen, limits }) && banOn(row, { seen }) === undefined) {
      const target = banTarget(row, limits.banScope);
      if (target === null || !late.some((ban) => sameBan(ban, target)))
        actions.push({ kind: "ban", target, instanceId: row.id, reason: "too_many_restarts" });
    }
    return actions;
  });
  return [...written, ...untold];
}

export function tooManyRestarts(row: Instance, { seen, limits }: Pick<PlanInput, "seen" | "limits">): boolean {
  return limits.bansEnabled && (seen.counters.get(row.id)?.restarts ?? 0) > limits.restartThreshold;
}

/** The ban of the row's host or machine. */
export function banOn(row: Instance, { seen }: Pick<PlanInput, "seen">): Ban | undefined {
  return seen.bans.known ? banOf(row, seen.bans.value) : undefined;
}
