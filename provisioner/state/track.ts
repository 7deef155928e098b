// What is known about one instance over time: its endpoint, whether it serves, whether it is lost. Pure: records facts, decides nothing.
import { outOfCredit } from "../model/account.ts";
import { type Endpoint, hasMap } from "../model/endpoint.ts";
import { phaseOf } from "../model/instance-phase.ts";
import type { Observation, ObservedInstance, ProbeResult } from "../model/observation.ts";
import type { Track } from "./schema.ts";

// One failed probe proves nothing; three in a row, five seconds apart, are an outage that users notice.
const FAILED_PROBES_TO_STOP = 3;
// An instance that failed three times and answers once may have an app that is still starting or a line that loses every other
// packet: nginx would be reloaded again and again. The first readiness needs one passing probe only: nothing is served before it,
// and a second one would cost every cold start two seconds. The same holds for an endpoint that has moved.
export const PASSES_TO_RETURN = 2;

/** The track of an instance that is first seen now. */
export function newTrack(now: number): Track {
  return {
    waitingSince: now,
    firstSeenAt: now,
    runningSince: null,
    noMapSince: null,
    wasReady: false,
    serving: false,
    servingSince: null,
    endpoint: null,
    failedProbes: 0,
    passesMissing: 0,
    tcpOpen: false,
    notServingSince: null,
    lost: null,
    uncountedRestarts: 0,
  };
}

/** The track after an observation of its instance. */
export function track(
  before: Track | undefined,
  { row, endpoint, probe }: ObservedInstance,
  seen: Observation,
  now: number,
): Track {
  const stored = seen.counters.get(row.id)?.waitingSince ?? now;
  const base: Track = before ?? { ...newTrack(now), waitingSince: Math.min(stored, now) };
  const phase = phaseOf(row, row.createdAt ?? base.firstSeenAt, now);
  const runningSince = phase.phase === "running" ? (base.runningSince ?? now) : null;
  const noMapSince = phase.phase === "running" && !hasMap(row) ? (base.noMapSince ?? now) : null;
  const next = withProbe(
    { ...base, runningSince, noMapSince, waitingSince: Math.min(base.waitingSince, stored) },
    endpoint.found ? endpoint.endpoint : null,
    probe,
    now,
  );
  // The grace of a stopped instance begins when the account has credit again.
  if (phase.phase === "lost" && outOfCredit(seen))
    return { ...next, lost: { since: now, reads: 0, readAt: seen.listedAt } };
  if (phase.phase === "lost") {
    const lost = base.lost ?? { since: now, reads: 0, readAt: 0 };
    return {
      ...next,
      lost: seen.listedAt > lost.readAt ? { ...lost, reads: lost.reads + 1, readAt: seen.listedAt } : lost,
    };
  }
  // A status alone is no crash: an instance whose probe passed all the time counts as not restarted.
  const cameBack = base.lost !== null && base.wasReady && (!base.serving || base.failedProbes > 0);
  return { ...next, lost: null, uncountedRestarts: next.uncountedRestarts + (cameBack ? 1 : 0) };
}

/** Applies the thresholds: down after several failed probes or when the endpoint is lost, back after several passing probes. */
export function withProbe(before: Track, endpoint: Endpoint | null, probe: ProbeResult | null, now: number): Track {
  const moved = endpoint?.host !== before.endpoint?.host || endpoint?.port !== before.endpoint?.port;
  const base = moved ? { ...before, endpoint, failedProbes: 0, passesMissing: 0, tcpOpen: false } : before;
  if (endpoint === null) return setServing(base, false, now);
  if (probe === null || probe.endpoint.host !== endpoint.host || probe.endpoint.port !== endpoint.port) {
    return setServing(base, moved ? false : base.serving, now);
  }
  if (probe.ok) {
    const passesMissing = Math.max(0, base.passesMissing - 1);
    return { ...setServing(base, passesMissing === 0, now), passesMissing, failedProbes: 0, tcpOpen: true };
  }
  const failedProbes = base.failedProbes + 1;
  const still = !moved && base.serving && failedProbes < FAILED_PROBES_TO_STOP;
  const down = base.passesMissing > 0 || (!moved && base.serving && !still);
  return {
    ...setServing(base, still, now),
    failedProbes,
    passesMissing: down ? PASSES_TO_RETURN : 0,
    tcpOpen: probe.tcp,
  };
}

function setServing(t: Track, serving: boolean, now: number): Track {
  if (serving) {
    return { ...t, serving, wasReady: true, servingSince: t.serving ? t.servingSince : now, notServingSince: null };
  }
  return { ...t, serving, servingSince: null, notServingSince: t.notServingSince ?? now };
}
