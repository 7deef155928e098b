// What is known about one instance over time: its endpoint, whether it serves, whether it is lost. Pure: records facts, decides nothing.
import { outOfCredit } from "../model/account.ts";
import { type Endpoint, hasMap } from "../model/endpoint.ts";
import { contractStopped, phaseOf } from "../model/instance-phase.ts";
import type { Observation, ObservedInstance, ProbeResult } from "../model/observation.ts";
import type { Instance } from "../vast/rows.ts";
import type { Track } from "./schema.ts";

// One failed probe proves nothing; three in a row, five seconds from the start of the first to the end of the last, are an outage that
// users notice. Both loops probe, so the count alone would not do. With a probe every 2.5 s (serve.ts) that takes up to 5 s, whether it
// passes or fails, a server is down at most 20 s after it has stopped answering.
const FAILED_PROBES_TO_STOP = 3;
const STOP_AFTER_MS = 5000;
// An instance that failed three times and answers once may have an app that is still starting or a line that loses every other
// packet: nginx would be reloaded again and again. The first readiness needs one passing probe only: nothing is served before it,
// and a second one would cost every cold start two seconds. The same holds for an endpoint that has moved.
export const PASSES_TO_RETURN = 2;
// Between the first and the last of them: less than the 2 s between two passes of the main loop.
const RETURN_AFTER_MS = 1500;

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
    probedAt: 0,
    streakSince: 0,
    passesMissing: 0,
    tcpOpen: false,
    refusedSince: null,
    notServingSince: null,
    lost: null,
    observedAt: null,
    unobservedMs: 0,
    stopped: null,
    uncountedRestarts: 0,
    contractEnd: null,
    foundOutdated: null,
  };
}

/** The track after an observation of its instance. */
export function track(
  before: Track | undefined,
  { row, endpoint, probe }: ObservedInstance,
  seen: Observation,
  now: number,
): Track {
  const stored = (seen.counters.get(row.id)?.waitingSince ?? now) + (before?.unobservedMs ?? 0);
  const base: Track = before ?? { ...newTrack(now), waitingSince: Math.min(stored, now) };
  const phase = phaseOf(row, row.createdAt ?? base.firstSeenAt, now);
  const runningSince = phase.phase === "running" ? (base.runningSince ?? now) : null;
  const noMapSince = phase.phase === "running" && !hasMap(row) ? (base.noMapSince ?? now) : null;
  const next = withProbe(
    {
      ...base,
      stopped: stoppedReads(base, row, seen),
      contractEnd: contractEndOf(base, row, seen, now),
      runningSince,
      noMapSince,
      waitingSince: Math.min(base.waitingSince, stored),
    },
    endpoint.found ? endpoint.endpoint : null,
    probe,
    now,
  );
  // The grace of a stopped instance begins when the account has credit again.
  if (phase.phase === "lost" && outOfCredit(seen))
    return { ...next, lost: { since: now, reads: 0, readAt: seen.listedAt } };
  if (phase.phase === "lost") {
    const before = base.lost ?? { since: now, reads: 0, readAt: 0 };
    const isNews = seen.listedAt > before.readAt;
    const lost = isNews ? { ...before, reads: before.reads + 1, readAt: seen.listedAt } : before;
    return { ...next, lost: isDown(next) ? { ...lost, down: true } : lost };
  }
  // A status alone is no crash: an instance whose probe passed all the time counts as not restarted.
  const cameBack = base.lost !== null && base.wasReady && (base.lost.down === true || isDown(base));
  return { ...next, lost: null, uncountedRestarts: next.uncountedRestarts + (cameBack ? 1 : 0) };
}

// A provisioner with a new disk does not know yet whether an instance that it finds serves: a few probes tell.
const FOUND_MS = 60_000;

/** It has served here, or was found so lately that nobody knows. `now` in epoch ms. */
export function mayHaveServed({ wasReady, firstSeenAt }: Track, now: number): boolean {
  return wasReady || now - firstSeenAt < FOUND_MS;
}

/** Probes fail, too; by the time a list shows that it is back, they may pass again. */
const isDown = ({ serving, failedProbes }: Track) => !serving || failedProbes > 0;

/** Applies the thresholds: down after several failed probes or when the endpoint is lost, back after several passing probes. */
export function withProbe(before: Track, endpoint: Endpoint | null, probe: ProbeResult | null, now: number): Track {
  const moved = !sameEndpoint(endpoint, before.endpoint);
  const base = moved
    ? { ...before, endpoint, failedProbes: 0, streakSince: 0, passesMissing: 0, tcpOpen: false, refusedSince: null }
    : before;
  if (endpoint === null) return setServing(base, false, now);
  const elsewhere = probe?.endpoint.host !== endpoint.host || probe.endpoint.port !== endpoint.port;
  if (elsewhere || (!moved && probe.at <= base.probedAt)) return setServing(base, moved ? false : base.serving, now);
  return { ...(probe.ok ? passed(base, probe, now) : failed(base, probe, moved, now)), probedAt: probe.at };
}

function passed(base: Track, { at }: ProbeResult, now: number): Track {
  const first = base.failedProbes > 0 || base.passesMissing >= PASSES_TO_RETURN;
  const streakSince = first ? at : base.streakSince;
  const counts = first || at - streakSince >= RETURN_AFTER_MS;
  const passesMissing = counts ? Math.max(0, base.passesMissing - 1) : base.passesMissing;
  const reset = { passesMissing, streakSince, failedProbes: 0, tcpOpen: true, refusedSince: null };
  return { ...setServing(base, passesMissing === 0, now), ...reset };
}

function failed(base: Track, { startedAt, at, tcp, refused }: ProbeResult, moved: boolean, now: number): Track {
  const failedProbes = base.failedProbes + 1;
  const streakSince = base.failedProbes === 0 ? startedAt : base.streakSince;
  const tooOften = failedProbes >= FAILED_PROBES_TO_STOP && at - streakSince >= STOP_AFTER_MS;
  const still = !moved && base.serving && !tooOften;
  const down = base.passesMissing > 0 || (!moved && base.serving && !still);
  return {
    ...setServing(base, still, now),
    failedProbes,
    streakSince,
    passesMissing: down ? PASSES_TO_RETURN : 0,
    tcpOpen: tcp,
    refusedSince: refused ? (base.refusedSince ?? at) : null,
  };
}

/** The track with the probes that another one has recorded later: two loops probe, and each may hold an older track. */
export function withLaterProbes(track: Track, other: Track | undefined): Track {
  if (other === undefined || other.probedAt <= track.probedAt || !sameEndpoint(track.endpoint, other.endpoint))
    return track;
  const { serving, servingSince, notServingSince, failedProbes, passesMissing, tcpOpen, probedAt, streakSince } = other;
  const { observedAt, refusedSince } = other;
  const wasReady = track.wasReady || other.wasReady;
  const probes = { failedProbes, passesMissing, tcpOpen, refusedSince, probedAt, streakSince, observedAt };
  if (isStopped(track)) return { ...track, ...probes };
  return { ...track, ...probes, wasReady, serving, servingSince, notServingSince };
}

function sameEndpoint(a: Endpoint | null, b: Endpoint | null): boolean {
  return a?.host === b?.host && a?.port === b?.port;
}

// One list may show a change in progress.
const STOPPED_READS = 2;

function stoppedReads({ stopped }: Track, row: Instance, { listedAt }: Observation): Track["stopped"] {
  if (!contractStopped(row)) return null;
  if (stopped !== null && listedAt <= stopped.readAt) return stopped;
  return { reads: (stopped?.reads ?? 0) + 1, readAt: listedAt };
}

function contractEndOf(
  { contractEnd: before }: Track,
  { endsAt }: Instance,
  { listedAt }: Observation,
  now: number,
): Track["contractEnd"] {
  if (endsAt === null) return null;
  if (before?.at !== endsAt) return { at: endsAt, since: now, reads: 1, readAt: listedAt };
  return listedAt > before.readAt ? { ...before, reads: before.reads + 1, readAt: listedAt } : before;
}

/** Two lists in a row have shown that its contract is stopped. */
export function isStopped({ stopped }: Track): boolean {
  return (stopped?.reads ?? 0) >= STOPPED_READS;
}

/** Whoever answers at the address of a stopped contract, it need not be the instance. */
function setServing(t: Track, answers: boolean, now: number): Track {
  if (answers && !isStopped(t)) {
    return {
      ...t,
      serving: true,
      wasReady: true,
      servingSince: t.serving ? t.servingSince : now,
      notServingSince: null,
    };
  }
  return { ...t, serving: false, servingSince: null, notServingSince: t.notServingSince ?? now };
}
