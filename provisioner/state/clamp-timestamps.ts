// Brings back what a clock that ran ahead has left in the memory, before it was put right or on another node. Pure.

import { LONGEST_BACKOFF_MS } from "./backoff.ts";
import type { State, Track } from "./schema.ts";

/**
 * The memory with nothing in it that lies after `now`, and no wait beyond the longest that is ever made: else what is doomed
 * would not be asked away again, and nothing created, until the time that the clock once showed.
 */
export function clampTimestamps(state: State, now: number): State {
  const past = <T extends number | null>(at: T) => (at !== null && at > now ? now : at);
  const wait = <T extends { until: number }>(one: T) => ({
    ...one,
    until: Math.min(one.until, now + LONGEST_BACKOFF_MS),
  });
  const { intent, backoff, account, template } = state;
  return {
    ...state,
    tracks: Object.fromEntries(Object.entries(state.tracks).map(([id, track]) => [id, trackOf(track, past)])),
    intent: intent && { ...intent, startedAt: past(intent.startedAt) },
    pendingDeletes: state.pendingDeletes.map((d) => ({
      ...d,
      since: past(d.since),
      deleteSentAt: past(d.deleteSentAt),
    })),
    creates: state.creates.map(past),
    avoided: state.avoided.map(wait),
    goneOffers: state.goneOffers.map(wait),
    backoff: backoff && wait(backoff),
    account: account && wait(account),
    firstNoneAt: past(state.firstNoneAt),
    template: template && { ...template, seenAt: past(template.seenAt) },
    listUnknownSince: past(state.listUnknownSince),
    bansUnknownSince: past(state.bansUnknownSince),
  };
}

function trackOf(track: Track, past: <T extends number | null>(at: T) => number | T): Track {
  const { lost } = track;
  return {
    ...track,
    waitingSince: past(track.waitingSince),
    firstSeenAt: past(track.firstSeenAt),
    runningSince: past(track.runningSince),
    noMapSince: past(track.noMapSince),
    servingSince: past(track.servingSince),
    notServingSince: past(track.notServingSince),
    lost: lost && { ...lost, since: past(lost.since), readAt: past(lost.readAt) },
  };
}
