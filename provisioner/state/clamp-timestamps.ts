// Repairs a state that was written while the clock was ahead, before it was corrected or on another node. Pure.

import { LONGEST_BACKOFF_MS } from "./backoff.ts";
import type { State, Track } from "./schema.ts";

/**
 * The state without times after `now` and without waits beyond the longest backoff. Otherwise no destroy would be sent again and
 * nothing created until the time that the clock once showed.
 */
export function clampTimestamps(state: State, now: number): State {
  const notAfterNow = <T extends number | null>(at: T) => (at !== null && at > now ? now : at);
  const wait = <T extends { until: number }>(one: T) => ({
    ...one,
    until: Math.min(one.until, now + LONGEST_BACKOFF_MS),
  });
  const { intent, backoff, account, converging, heldReplacement, money, takeovers, template } = state;
  return {
    ...state,
    tracks: Object.fromEntries(Object.entries(state.tracks).map(([id, track]) => [id, trackOf(track, notAfterNow)])),
    intent: intent && { ...intent, startedAt: notAfterNow(intent.startedAt) },
    pendingDeletes: state.pendingDeletes.map((d) => ({
      ...d,
      since: notAfterNow(d.since),
      deleteSentAt: notAfterNow(d.deleteSentAt),
    })),
    creates: state.creates.map(notAfterNow),
    converging: converging && {
      ...converging,
      ...(converging.agreedSince === undefined ? {} : { agreedSince: notAfterNow(converging.agreedSince) }),
    },
    replacements: state.replacements.map((one) => ({ ...one, at: notAfterNow(one.at) })),
    takeovers: {
      vanishedAt: notAfterNow(takeovers.vanishedAt),
      foreign: takeovers.foreign && { ...takeovers.foreign, at: notAfterNow(takeovers.foreign.at) },
      at: takeovers.at.map(notAfterNow),
    },
    avoided: state.avoided.map(wait),
    goneOffers: state.goneOffers.map(wait),
    backoff: backoff && wait(backoff),
    account: account && wait(account),
    heldReplacement: heldReplacement && wait(heldReplacement),
    firstNoneAt: notAfterNow(state.firstNoneAt),
    template: template && { ...template, seenAt: notAfterNow(template.seenAt), readAt: notAfterNow(template.readAt) },
    money: {
      ...money,
      since: notAfterNow(money.since),
      observedAt: notAfterNow(money.observedAt),
      instances: Object.fromEntries(
        Object.entries(money.instances).map(([id, one]) => [
          id,
          { ...one, countedUntil: notAfterNow(one.countedUntil), goneAt: notAfterNow(one.goneAt) },
        ]),
      ),
    },
    observedAt: notAfterNow(state.observedAt),
    listUnknownSince: notAfterNow(state.listUnknownSince),
    bansUnknownSince: notAfterNow(state.bansUnknownSince),
  };
}

function trackOf(track: Track, notAfterNow: <T extends number | null>(at: T) => number | T): Track {
  const { lost, stopped } = track;
  return {
    ...track,
    waitingSince: notAfterNow(track.waitingSince),
    firstSeenAt: notAfterNow(track.firstSeenAt),
    runningSince: notAfterNow(track.runningSince),
    noMapSince: notAfterNow(track.noMapSince),
    servingSince: notAfterNow(track.servingSince),
    notServingSince: notAfterNow(track.notServingSince),
    observedAt: notAfterNow(track.observedAt),
    probedAt: notAfterNow(track.probedAt),
    streakSince: notAfterNow(track.streakSince),
    stopped: stopped && { ...stopped, readAt: notAfterNow(stopped.readAt) },
    lost: lost && { ...lost, since: notAfterNow(lost.since), readAt: notAfterNow(lost.readAt) },
  };
}
