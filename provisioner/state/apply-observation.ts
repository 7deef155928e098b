// Applies an observation to the state. Pure: records facts over time, decides nothing.

import { CREATE_BUDGET_MS } from "../model/deadlines.ts";
import type { Desired } from "../model/desired.ts";
import { isOutdated, matchesDesired } from "../model/matches-desired.ts";
import type { Observation, Published } from "../model/observation.ts";
import type { Instance, Template } from "../vast/rows.ts";
import { bidsAfterList } from "./bids.ts";
import { type Boot, withBoot } from "./boots.ts";
import { clampTimestamps } from "./clamp-timestamps.ts";
import { fallbackAfterList } from "./fallback.ts";
import { needsConfirmation } from "./pending-delete.ts";
import { afterAgreement, recentReplacements } from "./replacements.ts";
import type { State, Track } from "./schema.ts";
import { surgeAfterList, surgeOfIntent } from "./surge.ts";
import { isStopped, newTrack, track, withProbe } from "./track.ts";
import { afterList, afterProbes, recycledSince, withoutOldAnswer } from "./updating.ts";

const HOUR_MS = 3_600_000;

/** The state after an observation. Two empty lists confirm that there is no instance if they are `firstCreateWaitMs` apart. */
export function applyObservation(
  before: State,
  seen: Observation,
  desired: Desired,
  firstCreateWaitMs: number,
  now: number,
): State {
  const state = clampTimestamps(before, now);
  const next: State = {
    ...state,
    creates: state.creates.filter((at) => now - at < CREATE_BUDGET_MS),
    replacements: recentReplacements(state, now),
    avoided: state.avoided.filter((entry) => entry.until > now),
    goneOffers: state.goneOffers.filter((entry) => entry.until > now),
    // A serving instance does not prove that the account may mutate: only time or a successful create ends its trouble.
    account: state.account !== null && now - state.account.until < HOUR_MS ? state.account : null,
    listUnknownSince: seen.list.known ? null : (state.listUnknownSince ?? now),
    bansUnknownSince: seen.bans.known ? null : (state.bansUnknownSince ?? now),
  };
  if (seen.template.known && seen.template.value !== null && seen.templateAt >= (state.template?.readAt ?? 0))
    Object.assign(next, withTemplate(state, seen.template.value, seen, now));
  if (!seen.list.known) return { ...next, tracks: probedOnly(state.tracks, seen, now) };

  const listed = seen.list.value;
  next.pendingDeletes = state.pendingDeletes.filter(
    (d) =>
      seen.partial !== undefined ||
      d.deleteSentAt === null ||
      d.deleteSentAt >= seen.listedAt ||
      listed.some((row) => row.id === d.id) ||
      needsConfirmation(d),
  );
  const own = seen.instances.filter(({ row }) => !next.pendingDeletes.some((d) => d.id === row.id));
  Object.assign(next, surgeOfIntent(next, desired.revision));
  // Without a contract the intent's instance may be any one of the label: only a whole list tells that it is this one.
  const isOfIntent = (id: number) =>
    next.intent?.contract === id ||
    (next.intent?.contract === null && next.intent.besides?.id !== id && seen.partial === undefined);
  const created = new Set(own.filter(({ row }) => isOfIntent(row.id)).map(({ row }) => row.id));
  const rented = next.intent?.fallback ? [...created] : [];
  if (created.size > 0) next.intent = null;

  Object.assign(next, afterList(next, own, seen));
  Object.assign(next, surgeAfterList(next, own, seen, state.pendingDeletes, now));
  next.fallback = fallbackAfterList(next, own, rented, seen, now);
  const listedTracks = own.map((one) => {
    const { row } = one;
    const after = track(state.tracks[row.id], withoutOldAnswer(next, one, seen), seen, now);
    const foundOutdated =
      after.foundOutdated ?? (created.has(row.id) ? false : isOutdated(row, desired, next.template));
    return [row.id, { ...after, foundOutdated }];
  });
  next.tracks = {
    ...(seen.partial === undefined ? {} : tracksWithoutDelete(next)),
    ...Object.fromEntries(listedTracks),
  };
  for (const { row } of own) {
    // One that was updated in place kept its machine and layers: another one would take longer.
    if (recycledSince(next, row.id) !== null) continue;
    const boot = bootOf(row.image, state.tracks[row.id], next.tracks[row.id], now);
    if (boot !== null) next.boots = withBoot(next.boots, boot);
  }
  Object.assign(next, afterProbes(next));
  Object.assign(next, bidsAfterList(next, seen, now));
  // An hour of serving ends a series of unreachable instances: a later outage has another cause.
  const proven = Object.values(next.tracks).some((t) => t.servingSince !== null && now - t.servingSince > HOUR_MS);
  if (proven) next.unreachableHost = null;
  if (Object.values(next.tracks).some((t) => t.serving))
    Object.assign(next, { backoff: null, notListening: null, brokenImages: null, hasServed: true });
  const agrees = own.some(({ row }) => next.tracks[row.id]?.serving === true && isAsDesired(row, desired, next));
  next.converging = afterAgreement(next.converging, agrees, now);
  if (!own.some(({ row }) => row.id === next.heldReplacement?.instanceId)) next.heldReplacement = null;

  if (seen.partial !== undefined) return next; // it proves nothing about other instances
  if (listed.length > 0) return { ...next, confirmedNone: true, firstNoneAt: null };
  // An instance that disappeared without our destroy counts as gone only after a second empty list: one list that left it out by
  // mistake would cost a second instance.
  const vanished = Object.keys(state.tracks).some((id) => !state.pendingDeletes.some((d) => d.id === Number(id)));
  if (state.confirmedNone && !vanished) return { ...next, firstNoneAt: null };
  const firstNoneAt = vanished ? seen.listedAt : (state.firstNoneAt ?? seen.listedAt);
  const confirmedNone = seen.listedAt > firstNoneAt && seen.listedAt - firstNoneAt >= firstCreateWaitMs;
  return { ...next, confirmedNone, firstNoneAt };
}

function tracksWithoutDelete({ tracks, pendingDeletes }: State): State["tracks"] {
  const entries = Object.entries(tracks).filter(([id]) => !pendingDeletes.some((d) => d.id === Number(id)));
  return Object.fromEntries(entries);
}

/** The ports of the content before are kept as long as an instance may still have them. */
function withTemplate(
  { template: before, templateBefore }: State,
  { id, hash, name, creatorId, diskSpace, publishedPorts, portFlags }: Template,
  seen: Observation,
  now: number,
): Pick<State, "template" | "templateBefore"> {
  const readAt = seen.templateAt;
  const template = { id, hash, name, creatorId, diskSpace, publishedPorts, portFlags, seenAt: now, readAt };
  const isUsed = seen.instances.some(({ row }) => row.templateHash === templateBefore?.hash);
  if (before === null || before.hash === hash || before.portFlags === undefined || isUsed)
    return { template, templateBefore };
  return { template, templateBefore: { hash: before.hash, portFlags: before.portFlags } };
}

/** When it answers for the first time. One that was found running, or that nobody watched all the while, teaches nothing. */
function bootOf(image: string, before: Track | undefined, after: Track | undefined, now: number): Boot | null {
  if (before === undefined || before.wasReady || after?.wasReady !== true || after.runningSince === null) return null;
  const bootMs = after.runningSince - after.firstSeenAt;
  return bootMs <= 0 || after.unobservedMs > 0 ? null : { image, bootMs, appMs: now - after.runningSince };
}

function isAsDesired(row: Instance, desired: Desired, state: State): boolean {
  const { image, templateHash } = matchesDesired(row, desired, state.template);
  return image === "same" && templateHash === "same";
}

/** A start of the provisioner that finds an instance counts as a restart of that instance. */
export function countStart(state: State): State {
  const tracks = Object.entries(state.tracks).map(([id, t]) => [
    id,
    { ...t, uncountedRestarts: t.uncountedRestarts + 1 },
  ]);
  return { ...state, tracks: Object.fromEntries(tracks) };
}

/**
 * Adopts the server of the upstream file when the state does not know it, because its volume is new or was full when the instance came up:
 * the server stays published while its probe passes, and it is probed from the start, because nginx routes to it.
 */
export function adoptPublished(state: State, published: Published, now: number): State {
  const { server, instance } = published;
  if (server === null || instance === null) return state;
  const known = state.tracks[instance.id];
  if (known?.endpoint?.host === server.host && known.endpoint.port === server.port) return state;
  const endpoint = { host: server.host, port: server.port };
  const track: Track = {
    ...(known ?? newTrack(now)),
    endpoint,
    wasReady: true,
    ...(known !== undefined && isStopped(known) ? {} : { serving: true, servingSince: now, notServingSince: null }),
    failedProbes: 0,
    streakSince: 0,
    passesMissing: 0,
    tcpOpen: false,
    refusedSince: null,
  };
  return { ...state, tracks: { ...state.tracks, [instance.id]: track } };
}

function probedOnly(tracks: State["tracks"], seen: Observation, now: number): State["tracks"] {
  const probeOf = (id: string) => (seen.publishedProbe?.instanceId === Number(id) ? seen.publishedProbe.probe : null);
  return Object.fromEntries(Object.entries(tracks).map(([id, t]) => [id, withProbe(t, t.endpoint, probeOf(id), now)]));
}
