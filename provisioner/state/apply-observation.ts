// Folds what a pass saw into the memory. Pure: no decision is made here, only facts over time are kept.

import { sameImage } from "../model/image-reference.ts";
import type { Observation, Published } from "../model/observation.ts";
import type { Desired } from "../plan/input.ts";
import type { Instance } from "../vast/rows.ts";
import { awaitsAnswer } from "./apply-outcome.ts";
import { notAhead } from "./clamp-timestamps.ts";
import type { Memory, Track } from "./schema.ts";
import { newTrack, track, withProbe } from "./track.ts";

// How long a create whose outcome is unknown is looked for: rows were seen to appear late, but never later.
export const CREATE_DEADLINE_MS = 120_000;
const HOUR_MS = 3_600_000;
// How long a create counts: an hour from when it arrives at the API. It is noted before it leaves, and may then wait for its
// turn (4.5 s, 15 s after a 429) and its 30 s deadline: counted from the note alone, the seventh can come within the hour.
export const BUDGET_MS = HOUR_MS + 60_000;

/** The memory after this observation. `firstCreateWaitMs` is how far apart two empty lists must be to be believed. */
export function remember(
  before: Memory,
  seen: Observation,
  desired: Desired,
  firstCreateWaitMs: number,
  now: number,
): Memory {
  const memory = notAhead(before, now);
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

function probedOnly(tracks: Memory["tracks"], seen: Observation, now: number): Memory["tracks"] {
  return Object.fromEntries(
    Object.entries(tracks).map(([id, t]) => [id, withProbe(t, t.endpoint, seen.probes.get(Number(id)), now)]),
  );
}
