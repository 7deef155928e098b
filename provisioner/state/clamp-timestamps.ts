// Repairs a state that was written while the clock was ahead, before it was corrected or on another node. Pure.
//
// Nearly always there is nothing to repair, and each pass asks several times: what is as it should be is not copied.
import { LONGEST_BACKOFF_MS } from "./backoff.ts";
import { LONGEST_RETURN_WAIT_MS } from "./fallback.ts";
import type { State, Track } from "./schema.ts";

/**
 * The state without times after `now` and without waits beyond the longest backoff. Otherwise no destroy would be sent again and
 * nothing created until the time that the clock once showed. The same state where nothing is to be repaired.
 */
export function clampTimestamps(state: State, now: number): State {
  const notAfterNow = <T extends number | null>(at: T) => (at !== null && at > now ? now : at);
  const most = now + LONGEST_BACKOFF_MS;
  const wait = <T extends { until: number }>(one: T): T => (one.until > most ? { ...one, until: most } : one);
  const {
    intent,
    backoff,
    account,
    converging,
    heldReplacement,
    money,
    refusedEnd,
    takeovers,
    template,
    updating,
    surge,
    raisedBid,
    fallback,
  } = state;
  return withParts(state, {
    tracks: mapValues(state.tracks, (track) => trackOf(track, notAfterNow)),
    intent: intent && withParts(intent, { startedAt: notAfterNow(intent.startedAt) }),
    pendingDeletes: mapItems(state.pendingDeletes, (d) =>
      withParts(d, {
        since: notAfterNow(d.since),
        deleteSentAt: notAfterNow(d.deleteSentAt),
        ...(d.refused === undefined ? {} : { refused: withParts(d.refused, { at: notAfterNow(d.refused.at) }) }),
      }),
    ),
    creates: mapItems(state.creates, notAfterNow),
    converging:
      converging?.agreedSince === undefined
        ? converging
        : withParts(converging, { agreedSince: notAfterNow(converging.agreedSince) }),
    replacements: mapItems(state.replacements, (one) => withParts(one, { at: notAfterNow(one.at) })),
    takeovers: withParts(takeovers, {
      vanishedAt: notAfterNow(takeovers.vanishedAt),
      foreign: takeovers.foreign && withParts(takeovers.foreign, { at: notAfterNow(takeovers.foreign.at) }),
      at: mapItems(takeovers.at, notAfterNow),
    }),
    avoided: mapItems(state.avoided, wait),
    goneOffers: mapItems(state.goneOffers, wait),
    backoff: backoff && wait(backoff),
    account: account && wait(account),
    heldReplacement: heldReplacement && wait(heldReplacement),
    refusedEnd: refusedEnd && withParts(refusedEnd, { rehearsedAt: notAfterNow(refusedEnd.rehearsedAt) }),
    updating:
      updating &&
      withParts(updating, {
        startedAt: notAfterNow(updating.startedAt),
        sentAt: notAfterNow(updating.sentAt),
        recycledAt: notAfterNow(updating.recycledAt),
      }),
    surge: surge && withParts(surge, { since: notAfterNow(surge.since) }),
    bidFailures: mapItems(state.bidFailures, notAfterNow),
    raisedBid: raisedBid && withParts(raisedBid, { at: notAfterNow(raisedBid.at) }),
    fallback:
      fallback &&
      withParts(fallback, {
        since: notAfterNow(fallback.since),
        until: Math.min(fallback.until, now + LONGEST_RETURN_WAIT_MS),
        found: fallback.found && withParts(fallback.found, { at: notAfterNow(fallback.found.at) }),
      }),
    firstNoneAt: notAfterNow(state.firstNoneAt),
    template:
      template && withParts(template, { seenAt: notAfterNow(template.seenAt), readAt: notAfterNow(template.readAt) }),
    money: withParts(money, {
      since: notAfterNow(money.since),
      observedAt: notAfterNow(money.observedAt),
      instances: mapValues(money.instances, (one) =>
        withParts(one, { countedUntil: notAfterNow(one.countedUntil), goneAt: notAfterNow(one.goneAt) }),
      ),
    }),
    observedAt: notAfterNow(state.observedAt),
    listUnknownSince: notAfterNow(state.listUnknownSince),
    bansUnknownSince: notAfterNow(state.bansUnknownSince),
  });
}

function trackOf(track: Track, notAfterNow: <T extends number | null>(at: T) => number | T): Track {
  const { lost, stopped, contractEnd } = track;
  return withParts(track, {
    waitingSince: notAfterNow(track.waitingSince),
    firstSeenAt: notAfterNow(track.firstSeenAt),
    runningSince: notAfterNow(track.runningSince),
    noMapSince: notAfterNow(track.noMapSince),
    servingSince: notAfterNow(track.servingSince),
    notServingSince: notAfterNow(track.notServingSince),
    refusedSince: notAfterNow(track.refusedSince),
    observedAt: notAfterNow(track.observedAt),
    probedAt: notAfterNow(track.probedAt),
    streakSince: notAfterNow(track.streakSince),
    stopped: stopped && withParts(stopped, { readAt: notAfterNow(stopped.readAt) }),
    contractEnd:
      contractEnd &&
      withParts(contractEnd, { since: notAfterNow(contractEnd.since), readAt: notAfterNow(contractEnd.readAt) }),
    lost: lost && withParts(lost, { since: notAfterNow(lost.since), readAt: notAfterNow(lost.readAt) }),
  });
}

/** `whole` itself where it has these parts already. */
function withParts<T extends object>(whole: T, parts: Partial<T>): T {
  for (const key in parts) if (parts[key] !== whole[key]) return { ...whole, ...parts };
  return whole;
}

function mapItems<T>(all: T[], repair: (one: T) => T): T[] {
  const repaired = all.map(repair);
  return repaired.some((one, i) => one !== all[i]) ? repaired : all;
}

function mapValues<T>(all: Record<string, T>, repair: (one: T) => T): Record<string, T> {
  let repaired = all;
  for (const [key, one] of Object.entries(all)) {
    const other = repair(one);
    if (other !== one) repaired = { ...repaired, [key]: other };
  }
  return repaired;
}
