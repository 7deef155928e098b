// The answers of `/livez`, `/readyz` and `/status`. Pure.
import type { Health } from "../../common/status-server.ts";
import type { LoopState } from "../loop-state.ts";
import { describe } from "../model/describe.ts";
import type { Track } from "../state/schema.ts";

// The longest ordinary pass without drain: two lists and a template, each at most 10 s behind the rate limit, a minute and a half
// of searches and creates whose offers are gone, and the reloader's answer. Three times this is more than all calls of a pass
// take if each of them runs into its deadline.
const PASS_DEADLINE_MS = 120_000;

/** Alive while the last pass finished within three times the deadline of a pass. */
export function liveness(loop: LoopState, drainMs: number, now: number): Health {
  const limitMs = 3 * (PASS_DEADLINE_MS + drainMs);
  const ageMs = now - loop.finishedAt;
  const why = `the last pass finished ${Math.round(ageMs / 1000)} s ago, the limit is ${limitMs / 1000} s`;
  return { ok: ageMs <= limitMs, why };
}

/** Ready after the first pass. Whether the instance serves is reported by nginx' own probe. */
export function readiness(loop: LoopState): Health {
  return loop.passes > 0 ? { ok: true, why: "ready" } : { ok: false, why: "the first pass has not finished" };
}

/** The document of `/status`: what was observed, what is planned and why, and what is suppressed. */
export function statusDocument(loop: LoopState, pod: string, label: string, policy: string, now: number): unknown {
  const { state, plan, seen, file } = loop;
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
    problem: loop.problem,
    suppressed: loop.suppressed,
    instances: rows.map((row) => ({
      id: row.id,
      description: describe(row),
      status: row.actualStatus,
      hostId: row.hostId,
      machineId: row.machineId,
      image: row.image,
      templateHash: row.templateHash,
      dollarsPerHour: row.dollarsPerHour,
      pendingDelete: state.pendingDeletes.some(({ id }) => id === row.id),
      ...timesOf(state.tracks[row.id], now),
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
    pendingDeletes: state.pendingDeletes,
    intent: state.intent,
    createsLastHour: state.creates.length,
    backoff: state.backoff === null ? null : { ...state.backoff, until: iso(state.backoff.until) },
    passes: loop.passes,
    finishedAt: loop.passes > 0 ? iso(loop.finishedAt) : null,
  };
}

function timesOf(track: Track | undefined, now: number): object {
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
