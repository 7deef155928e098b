// Folds what a pass saw into the memory. Pure: no decision is made here, only facts over time are kept.
import { isHost } from "../common/upstream-file.ts";
import { chooseEndpoint, type Endpoint, hasMap } from "./endpoint.ts";
import { sameImage } from "./image-name.ts";
import type { Memory, Track } from "./memory.ts";
import type { Observation, Published } from "./observation.ts";
import { awaitsAnswer } from "./outcomes.ts";
import type { Desired } from "./plan/facts.ts";
import { type Life, lifeOf } from "./status-words.ts";
import type { Instance } from "./vast/rows.ts";

// One lost probe says nothing; three in a row, five seconds apart, are an outage that a reader of the page notices.
export const FAILED_PROBES_TO_STOP = 3;
// What failed three times and answers once may be an app that is still starting, or a line that loses every other packet:
// nginx would be sent back and forth. The first readiness needs one pass only: nothing is served before it, so that a
// second one would cost every cold start two seconds and protect nobody. So does an endpoint that has moved.
export const PASSES_TO_RETURN = 2;
// How long a create whose outcome is unknown is looked for: rows were seen to appear late, but never later.
export const CREATE_DEADLINE_MS = 120_000;
const HOUR_MS = 3_600_000;
// How long a create counts: an hour from when it arrives at the API. It is noted before it leaves, and may then wait for its
// turn (4.5 s, 15 s after a 429) and its 30 s deadline: counted from the note alone, the seventh can come within the hour.
export const BUDGET_MS = HOUR_MS + 60_000;

/** The memory after this observation. `firstCreateWaitMs` is how far apart two empty lists must be to be believed. */
export function remember(
  memory: Memory,
  seen: Observation,
  desired: Desired,
  firstCreateWaitMs: number,
  now: number,
): Memory {
  const next: Memory = {
    ...memory,
    creates: memory.creates.filter((at) => now - at < BUDGET_MS),
    avoided: memory.avoided.filter((entry) => entry.until > now),
    goneOffers: memory.goneOffers.filter((entry) => entry.until > now),
    // Serving proves nothing about the account's right to mutate: only time and a create end its trouble.
    account: memory.account !== null && now - memory.account.until < HOUR_MS ? memory.account : null,
    listUnknownSince: seen.list.known ? null : (memory.listUnknownSince ?? now),
    bansUnknownSince: seen.bans.known ? null : (memory.bansUnknownSince ?? now),
  };
  if (seen.template.known && seen.template.value !== null) next.template = { ...seen.template.value, seenAt: now };
  if (!seen.list.known) return { ...next, tracks: probedOnly(memory.tracks, seen, now) };

  const listed = seen.list.value;
  next.doomed = memory.doomed.filter(
    (d) => d.askedAt === null || d.askedAt >= seen.listedAt || listed.some((row) => row.id === d.id) || awaitsAnswer(d),
  );
  const own = listed.filter((row) => !next.doomed.some((d) => d.id === row.id));
  if (next.intent !== null && own.some((row) => next.intent?.contract === null || next.intent?.contract === row.id))
    next.intent = null;

  next.tracks = Object.fromEntries(own.map((row) => [row.id, track(memory.tracks[row.id], row, seen, desired, now)]));
  // Serving for an hour ends a series of unreachable instances: what comes later has another cause.
  const proven = Object.values(next.tracks).some((t) => t.servingSince !== null && now - t.servingSince > HOUR_MS);
  if (proven) next.unreachableHost = null;
  if (Object.values(next.tracks).some((t) => t.serving))
    Object.assign(next, { backoff: null, deafApps: null, brokenImages: null });
  if (own.some((row) => agrees(row, desired, next))) next.converging = null;

  if (listed.length > 0) return { ...next, confirmedNone: true, firstNoneAt: null };
  // An instance that vanishes without our doing is believed to be gone only at second sight: a list that has left it out
  // once would cost a second instance.
  const vanished = Object.keys(memory.tracks).some((id) => !memory.doomed.some((d) => d.id === Number(id)));
  if (memory.confirmedNone && !vanished) return { ...next, firstNoneAt: null };
  const firstNoneAt = vanished ? seen.listedAt : (memory.firstNoneAt ?? seen.listedAt);
  const confirmedNone = seen.listedAt > firstNoneAt && seen.listedAt - firstNoneAt >= firstCreateWaitMs;
  return { ...next, confirmedNone, firstNoneAt };
}

function agrees(row: Instance, desired: Desired, memory: Memory): boolean {
  return (
    row.image !== "" &&
    sameImage(desired.image, row.image) &&
    memory.template !== null &&
    row.templateHash === memory.template.hash
  );
}

/** A start of the provisioner that finds an instance counts as a restart of it. */
export function countStart(memory: Memory): Memory {
  const tracks = Object.entries(memory.tracks).map(([id, t]) => [
    id,
    { ...t, uncountedRestarts: t.uncountedRestarts + 1 },
  ]);
  return { ...memory, tracks: Object.fromEntries(tracks) };
}

/**
 * Takes up what the upstream file says is served where the memory knows nothing of it (its volume is new): the server
 * stays published as long as its probe passes.
 */
export function adoptPublished(memory: Memory, published: Published, now: number): Memory {
  const { server, instance } = published;
  if (server === null || instance === null || memory.tracks[instance.id] !== undefined) return memory;
  const endpoint = { host: server.host, port: server.port };
  const track: Track = {
    ...newTrack(now),
    endpoint,
    serving: true,
    wasReady: true,
    servingSince: now,
    notServingSince: null,
  };
  return { ...memory, tracks: { ...memory.tracks, [instance.id]: track } };
}

function newTrack(now: number): Track {
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

/** The endpoint that counts for a row: the one to probe, and to serve while its probe passes. */
export function endpointOf(row: Instance, before: Track | undefined, desired: Desired, now: number): Endpoint | null {
  const life = lifeOf(row, row.createdAt ?? now, now);
  const last = before?.endpoint ?? null;
  if (last === null || !mayRun(life)) return chosen(row, before, life, desired, now);
  // Address or map can be missing for a poll while the container runs on: what was known stays, as `direct_port_start` may be
  // sshd's. Without a container the port is soon a stranger's.
  const host = isHost(row.address) ? row.address : last.host;
  return hasMap(row) ? chosen({ ...row, address: host }, before, life, desired, now) : { host, port: last.port };
}

/** A host that is not heard of may run its containers all the same. */
function mayRun(life: Life): boolean {
  return (
    life.phase === "running" || (life.phase === "lost" && (life.status === "unknown" || life.status === "offline"))
  );
}

function chosen(row: Instance, before: Track | undefined, life: Life, desired: Desired, now: number): Endpoint | null {
  const noMapForMs = life.phase === "running" ? now - (before?.noMapSince ?? now) : 0;
  const choice = chooseEndpoint(row, desired.upstreamPort, noMapForMs);
  return choice.found ? choice.endpoint : null;
}

function probedOnly(tracks: Memory["tracks"], seen: Observation, now: number): Memory["tracks"] {
  return Object.fromEntries(
    Object.entries(tracks).map(([id, t]) => [id, withProbe(t, t.endpoint, seen.probes.get(Number(id)), now)]),
  );
}

function track(before: Track | undefined, row: Instance, seen: Observation, desired: Desired, now: number): Track {
  const stored = seen.counters.get(row.id)?.waitingSince ?? now;
  const base: Track = before ?? { ...newTrack(now), waitingSince: Math.min(stored, now) };
  const life = lifeOf(row, row.createdAt ?? base.firstSeenAt, now);
  const runningSince = life.phase === "running" ? (base.runningSince ?? now) : null;
  const noMapSince = life.phase === "running" && !hasMap(row) ? (base.noMapSince ?? now) : null;
  const endpoint = endpointOf(row, base, desired, now);
  const next = withProbe(
    { ...base, runningSince, noMapSince, waitingSince: Math.min(base.waitingSince, stored) },
    endpoint,
    seen.probes.get(row.id),
    now,
  );
  if (life.phase === "lost") {
    const lost = base.lost ?? { since: now, reads: 0, readAt: 0 };
    return {
      ...next,
      lost: seen.listedAt > lost.readAt ? { ...lost, reads: lost.reads + 1, readAt: seen.listedAt } : lost,
    };
  }
  // A word alone is no crash: one that answered all the while was only said to be lost.
  const cameBack = base.lost !== null && base.wasReady && (!base.serving || base.failedProbes > 0);
  return { ...next, lost: null, uncountedRestarts: next.uncountedRestarts + (cameBack ? 1 : 0) };
}

/** Applies the thresholds: down after several failed probes or with the endpoint's loss, back after several passes. */
function withProbe(
  before: Track,
  endpoint: Endpoint | null,
  probe: { endpoint: Endpoint; ok: boolean; tcp: boolean } | undefined,
  now: number,
): Track {
  const moved = endpoint?.host !== before.endpoint?.host || endpoint?.port !== before.endpoint?.port;
  const base = moved ? { ...before, endpoint, failedProbes: 0, passesMissing: 0, tcpOpen: false } : before;
  if (endpoint === null) return turn(base, false, now);
  if (probe === undefined || probe.endpoint.host !== endpoint.host || probe.endpoint.port !== endpoint.port) {
    return turn(base, moved ? false : base.serving, now);
  }
  if (probe.ok) {
    const passesMissing = Math.max(0, base.passesMissing - 1);
    return { ...turn(base, passesMissing === 0, now), passesMissing, failedProbes: 0, tcpOpen: true };
  }
  const failedProbes = base.failedProbes + 1;
  const still = !moved && base.serving && failedProbes < FAILED_PROBES_TO_STOP;
  const down = base.passesMissing > 0 || (!moved && base.serving && !still);
  return {
    ...turn(base, still, now),
    failedProbes,
    passesMissing: down ? PASSES_TO_RETURN : 0,
    tcpOpen: probe.tcp,
  };
}

function turn(t: Track, serving: boolean, now: number): Track {
  if (serving) {
    return { ...t, serving, wasReady: true, servingSince: t.serving ? t.servingSince : now, notServingSince: null };
  }
  return { ...t, serving, servingSince: null, notServingSince: t.notServingSince ?? now };
}
