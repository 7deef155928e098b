// The answers of `/livez` and `/readyz`. Pure.
import type { Health } from "../../common/status-server.ts";
import type { LoopState } from "../loop-state.ts";

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
