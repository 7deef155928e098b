import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Observation } from "../../../../provisioner/model/observation.ts";
import { applyObservation } from "../../../../provisioner/state/apply-observation.ts";
import type { State } from "../../../../provisioner/state/schema.ts";
import { continueAfterGap, LOOK_GAP_MS, markObserved } from "../../../../provisioner/state/unobserved.ts";
import {
  atOnce,
  desired,
  endpoint,
  HOUR,
  MINUTE,
  NOW,
  observation,
  row,
  SECOND,
  silentTrack,
  startingRow,
  state,
  unknown,
  waitingTrack,
} from "../plan/situation.ts";

const ID = 7835610;
const failedProbe = (at: number) => ({ endpoint, ok: false, tcp: false, why: "ETIMEDOUT", ...atOnce(at) });
const silent = (at: number) =>
  observation([row()], { listedAt: at, probes: new Map([[ID, failedProbe(at)]]), counters: new Map() });
const blind = (at: number) => observation([], { listedAt: at, list: unknown() });

/** One look as the loop makes it. */
function look(before: State, seen: Observation, now: number, lostMs: number | null = 0) {
  const { state: continued, afterGap } = continueAfterGap(before, seen, lostMs, now);
  const after = markObserved(applyObservation(continued, seen, desired, 0, now), seen, now);
  return { after, afterGap, track: after.tracks[ID] };
}

const silentFor = (ms: number) => state({ tracks: { [ID]: silentTrack(ms) } });

describe("a look", () => {
  test("soon after the last one counts all the time in between", () => {
    const { track, afterGap } = look(silentFor(MINUTE), silent(NOW + 15 * SECOND), NOW + 15 * SECOND);
    expect(track).toMatchObject({ notServingSince: NOW - MINUTE, observedAt: NOW + 15 * SECOND, unobservedMs: 0 });
    expect(afterGap).toBe(false);
  });

  test("after a pause of the process goes on from where it was, and decides nothing", () => {
    const now = NOW + HOUR + 2 * SECOND;
    const { after, track, afterGap } = look(silentFor(MINUTE), silent(now), now, HOUR);
    expect(track).toMatchObject({ notServingSince: NOW - MINUTE + HOUR, unobservedMs: HOUR, observedAt: now });
    expect(afterGap).toBe(true);
    expect(look(after, silent(now + 2 * SECOND), now + 2 * SECOND).afterGap).toBe(false);
  });

  test("whose predecessor is not known decides nothing, and counts what is stored", () => {
    const { track, afterGap } = look(silentFor(MINUTE), silent(NOW), NOW, null);
    expect(track).toMatchObject({ notServingSince: NOW - MINUTE });
    expect(afterGap).toBe(true);
  });

  test("after a time in which the list was unknown does not count that time for an instance that was not probed", () => {
    let before = silentFor(MINUTE);
    for (let at = 5 * SECOND; at <= 20 * MINUTE; at += 5 * SECOND) {
      const one = look(before, blind(NOW + at), NOW + at);
      expect(one.afterGap).toBe(false);
      before = one.after;
    }
    const now = NOW + 20 * MINUTE + 5 * SECOND;
    const { track, afterGap } = look(before, silent(now), now);
    expect(now - (track?.notServingSince ?? 0)).toBe(MINUTE);
    expect(afterGap).toBe(true);
  });

  test("counts the silence of the published server while the list is unknown, but not how long it is lost", () => {
    const lost = { since: NOW - MINUTE, reads: 2, readAt: NOW - SECOND };
    let before = state({ tracks: { [ID]: silentTrack(MINUTE, { lost }) } });
    const seen = (at: number) =>
      observation([], { listedAt: at, list: unknown(), probes: new Map([[ID, failedProbe(at)]]) });
    for (let at = 5 * SECOND; at <= 2 * MINUTE; at += 5 * SECOND) before = look(before, seen(NOW + at), NOW + at).after;
    const now = NOW + 125 * SECOND;
    const exited = observation([row({ actualStatus: "exited" })], { listedAt: now });
    const { track } = look(before, exited, now);
    expect(now - (track?.notServingSince ?? 0)).toBe(MINUTE + 125 * SECOND);
    expect(now - (track?.lost?.since ?? 0)).toBe(MINUTE + 5 * SECOND);
  });

  test("takes a pause out of the time for which list and bans are unknown", () => {
    const before = state({ listUnknownSince: NOW - MINUTE, bansUnknownSince: NOW - MINUTE });
    const { after } = look(before, { ...blind(NOW + HOUR), bans: unknown() }, NOW + HOUR, HOUR);
    expect(after).toMatchObject({ listUnknownSince: NOW + HOUR - MINUTE, bansUnknownSince: NOW + HOUR - MINUTE });
  });

  test("compares the wait with that of the ban store without the time in which nobody looked", () => {
    const now = NOW + HOUR;
    const counters = new Map([[ID, { waitingSince: NOW - 10 * MINUTE, restarts: 0 }]]);
    const starting = (at: number) => observation([startingRow()], { listedAt: at, counters });
    const paused = look(state({ tracks: { [ID]: waitingTrack(10 * MINUTE) } }), starting(now), now, HOUR);
    expect(now - (paused.track?.waitingSince ?? 0)).toBe(10 * MINUTE);
    const next = look(paused.after, starting(now + SECOND), now + SECOND);
    expect(now - (next.track?.waitingSince ?? 0)).toBe(10 * MINUTE);
    // A pod without a state finds the whole wait in the ban store.
    expect(now - (look(state(), starting(now), now, null).track?.waitingSince ?? 0)).toBe(HOUR + 10 * MINUTE);
  });
});

test("no duration that can end an instance is longer than the time in which it was observed", () => {
  const step = fc.record({
    afterMs: fc.integer({ min: 1, max: 40 * SECOND }),
    lostMs: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: 10 * SECOND, max: 2 * HOUR })),
    known: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.constant(false)),
  });
  const kinds = {
    silent: { seen: silent, from: silentTrack(0, { notServingSince: NOW }) },
    starting: {
      seen: (at: number) =>
        observation([startingRow()], {
          listedAt: at,
          counters: new Map([[ID, { waitingSince: NOW, restarts: 0 }]]),
        }),
      from: waitingTrack(0),
    },
    exited: {
      seen: (at: number) => observation([row({ actualStatus: "exited" })], { listedAt: at }),
      from: silentTrack(0, { lost: { since: NOW, reads: 1, readAt: NOW } }),
    },
  };
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.values(kinds)),
      fc.array(step, { maxLength: 30 }),
      ({ seen, from }, steps) => {
        let now = NOW;
        let before = state({ tracks: { [ID]: from } });
        let [observedMs, unseenMs] = [0, 0];
        for (const { afterMs, lostMs, known } of steps) {
          now += afterMs + lostMs;
          const { after, track, afterGap } = look(before, known ? seen(now) : blind(now), now, lostMs);
          before = after;
          unseenMs += afterMs;
          if (known) {
            expect(afterGap).toBe(lostMs > 0 || unseenMs > LOOK_GAP_MS);
            if (unseenMs <= LOOK_GAP_MS) observedMs += unseenMs;
            unseenMs = 0;
          }
          if (!known || track === undefined) continue;
          const { waitingSince, firstSeenAt, runningSince, notServingSince, lost } = track;
          const started = !from.wasReady;
          const durations = [
            notServingSince,
            lost?.since ?? null,
            ...(started ? [waitingSince, firstSeenAt, runningSince] : []),
          ];
          for (const since of durations) if (since !== null) expect(now - since).toBeLessThanOrEqual(observedMs);
          if (notServingSince !== null) expect(now - notServingSince).toBe(observedMs);
        }
      },
    ),
  );
});
