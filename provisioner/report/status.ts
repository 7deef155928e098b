// What `/livez`, `/readyz` and `/status` say. Pure.
import type { Health } from "../../common/status-server.ts";
import { describe } from "../plan/replacement.ts";
import type { LoopState } from "../reconcile.ts";
import type { Track } from "../state/schema.ts";

// A pass without drain: two lists and a template, each at most 10 s behind its gate, a minute and a half of searches and
// creates that find their offers gone, the reloader's answer. Three times this is more than all its calls take when each of
// them needs its own deadline.
const PASS_DEADLINE_MS = 120_000;

/** Alive while the last pass finished within three times a pass' own deadline. */
export function liveness(state: LoopState, drainMs: number, now: number): Health {
  const limitMs = 3 * (PASS_DEADLINE_MS + drainMs);
  const ageMs = now - state.finishedAt;
  const why = `the last pass finished ${Math.round(ageMs / 1000)} s ago, the limit is ${limitMs / 1000} s`;
  return { ok: ageMs <= limitMs, why };
}

/** Ready after the first pass. Whether the instance serves is nginx' to tell, not this program's. */
export function readiness(state: LoopState): Health {
  return state.passes > 0 ? { ok: true, why: "ready" } : { ok: false, why: "the first pass has not finished" };
}

/** The `/status` document. */
export function statusDocument(state: LoopState, pod: string, label: string, policy: string, now: number): unknown {
  const { memory, plan, seen, file } = state;
  const rows = seen?.list.known ? seen.list.value : [];
  return {
    pod,
    label,
    policy,
    state: file?.state ?? null,
    reason: plan?.reason ?? null,
    message: plan?.message ?? null,
    generation: file?.generation ?? null,
    server: file?.server ?? null,
    problem: state.problem,
    heldBack: state.heldBack,
    instances: rows.map((row) => ({
      id: row.id,
      description: describe(row),
      status: row.actualStatus,
      hostId: row.hostId,
      machineId: row.machineId,
      image: row.image,
      templateHash: row.templateHash,
      dollarsPerHour: row.dollarsPerHour,
      doomed: memory.doomed.some((d) => d.id === row.id),
      ...progress(memory.tracks[row.id], now),
    })),
    list:
      seen === null
        ? null
        : {
            known: seen.list.known,
            at: iso(seen.listedAt),
            ...(seen.list.known ? {} : { why: seen.list.why.message }),
          },
    bansKnown: seen?.bans.known ?? null,
    doomed: memory.doomed,
    intent: memory.intent,
    createsLastHour: memory.creates.length,
    backoff: memory.backoff === null ? null : { ...memory.backoff, until: iso(memory.backoff.until) },
    passes: state.passes,
    finishedAt: state.passes > 0 ? iso(state.finishedAt) : null,
  };
}

function progress(track: Track | undefined, now: number): object {
  if (track === undefined) return {};
  const seconds = (since: number | null) => (since === null ? null : Math.round((now - since) / 1000));
  return {
    serving: track.serving,
    endpoint: track.endpoint,
    waitingSeconds: track.wasReady ? null : seconds(track.waitingSince),
    runningSeconds: seconds(track.runningSince),
    notServingSeconds: seconds(track.notServingSince),
  };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
