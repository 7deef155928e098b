// Time in which nobody looked is not silence: takes it out of the durations that can end an instance. Pure.
//
// Such a duration is the time since an instant in the state. The instants move forward by the time in which nobody looked, so that the
// durations go on from where they were: after a pause of the process, after the time between two runs, and after a time in which the list
// was unknown and an instance was therefore not probed.
import type { Observation } from "../model/observation.ts";
import type { State, Track } from "./schema.ts";

/** A longer time between two looks counts as not observed. The looks of a blocked pod are 15 s apart, and a call takes up to 10 s more. */
export const LOOK_GAP_MS = 30_000;

export interface Continued {
  state: State;
  /** Nobody looked for a while: this look is compared with what was seen long ago, so it decides nothing. */
  afterGap: boolean;
}

/**
 * The state as if the time in which nobody looked had not passed, right before `seen` is applied to it. `lostMs`: how long the process
 * was paused or did not run since its last look; null: it is not known.
 */
export function continueAfterGap(before: State, seen: Observation, lostMs: number | null, now: number): Continued {
  const state = lostMs === null || lostMs <= 0 ? before : shiftAll(before, lostMs, now);
  const outageMs = seen.list.known && state.listUnknownSince !== null ? Math.max(0, now - state.listUnknownSince) : 0;
  let gaps = false;
  const tracks = Object.entries(state.tracks).map(([id, track]): [string, Track] => {
    if (!isObserved(id, seen)) return [id, track];
    const unseenMs = now - (track.observedAt ?? now);
    const gapMs = unseenMs > LOOK_GAP_MS ? unseenMs : 0;
    if (gapMs > 0) gaps = true;
    return [id, shiftLost(shiftTrack(track, gapMs, now), Math.max(0, outageMs - gapMs), now)];
  });
  const afterGap = lostMs !== 0 || gaps;
  // In nearly every pass nothing has moved, and the state is not copied.
  if (tracks.every(([id, track]) => track === state.tracks[id])) return { state, afterGap };
  return { state: { ...state, tracks: Object.fromEntries(tracks) }, afterGap };
}

/** The state after a look: whom it has observed, and when. */
export function markObserved(state: State, seen: Observation, now: number): State {
  const tracks = Object.entries(state.tracks).map(([id, track]) => [
    id,
    isObserved(id, seen) ? { ...track, observedAt: now } : track,
  ]);
  return { ...state, tracks: Object.fromEntries(tracks), observedAt: now };
}

/** Listed, or at least probed. */
function isObserved(id: string, { instances, publishedProbe }: Observation): boolean {
  return publishedProbe?.instanceId === Number(id) || instances.some(({ row }) => row.id === Number(id));
}

function shiftAll(state: State, ms: number, now: number): State {
  const later = shifter(ms, now);
  const tracks = Object.entries(state.tracks).map(([id, track]) => [
    id,
    { ...shiftTrack(track, ms, now), observedAt: later(track.observedAt) },
  ]);
  return {
    ...state,
    tracks: Object.fromEntries(tracks),
    listUnknownSince: later(state.listUnknownSince),
    bansUnknownSince: later(state.bansUnknownSince),
  };
}

/** All instants from which a duration of the instance is counted. `lost.readAt` identifies a list. */
function shiftTrack(track: Track, ms: number, now: number): Track {
  if (ms === 0) return track;
  const later = shifter(ms, now);
  return {
    ...shiftLost(track, ms, now),
    waitingSince: later(track.waitingSince),
    firstSeenAt: later(track.firstSeenAt),
    runningSince: later(track.runningSince),
    noMapSince: later(track.noMapSince),
    servingSince: later(track.servingSince),
    notServingSince: later(track.notServingSince),
    refusedSince: later(track.refusedSince),
    unobservedMs: track.unobservedMs + ms,
  };
}

/** While the list is unknown an instance can be probed, but nobody sees whether it is still lost. */
function shiftLost(track: Track, ms: number, now: number): Track {
  if (track.lost === null || ms === 0) return track;
  return { ...track, lost: { ...track.lost, since: shifter(ms, now)(track.lost.since) } };
}

function shifter(ms: number, now: number): <T extends number | null>(at: T) => number | T {
  return (at) => (at === null ? at : Math.min(at + ms, now));
}
