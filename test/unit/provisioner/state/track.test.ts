import { describe, expect, test } from "vitest";
import { known, type Observation } from "../../../../provisioner/model/observation.ts";
import { applyObservation, countStart } from "../../../../provisioner/state/apply-observation.ts";
import type { State } from "../../../../provisioner/state/schema.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import {
  desired,
  endpoint,
  failing,
  HOUR,
  MINUTE,
  NOW,
  observation,
  observedWith,
  passing,
  row,
  SECOND,
  servingTrack,
  silentTrack,
  startingRow,
  state,
  unknown,
  waitingTrack,
} from "../plan/situation.ts";

const ID = 7835610;
const FIRST_WAIT = 10 * SECOND;

function stateAfter(before: State, seen: Observation, now = NOW): State {
  return applyObservation(before, observedWith(before, seen, now), desired, FIRST_WAIT, now);
}
const tracked = (t: ReturnType<typeof servingTrack>, over: Partial<State> = {}) =>
  state({ tracks: { [ID]: t }, ...over });
const probed = (r: Instance, result = passing()) => observation([r], { probes: new Map([[ID, result]]) });

describe("the probe's thresholds", () => {
  test("an instance serves with the first passing probe", () => {
    const t = stateAfter(tracked(waitingTrack(MINUTE)), probed(row())).tracks[ID];
    expect(t).toMatchObject({ serving: true, wasReady: true, servingSince: NOW, endpoint, notServingSince: null });
  });

  test("an instance stops serving with the third failed probe in a row", () => {
    const failed = (times: number) =>
      stateAfter(tracked(servingTrack({ failedProbes: times })), probed(row(), failing()));
    expect(failed(0).tracks[ID]).toMatchObject({ serving: true, failedProbes: 1 });
    expect(failed(1).tracks[ID]).toMatchObject({ serving: true, failedProbes: 2 });
    expect(failed(2).tracks[ID]).toMatchObject({ serving: false, failedProbes: 3, notServingSince: NOW });
  });

  test("one lost probe changes nothing of what is served", () => {
    const lost = stateAfter(tracked(servingTrack()), probed(row(), failing()));
    const back = stateAfter(lost, probed(row()));
    expect(back.tracks[ID]).toMatchObject({
      ...servingTrack(),
      probedAt: expect.any(Number),
      streakSince: expect.any(Number),
    });
  });

  test("an instance that failed probes took down is back with the second passing one in a row", () => {
    const once = stateAfter(tracked(silentTrack(MINUTE)), probed(row()));
    expect(once.tracks[ID]).toMatchObject({ serving: false, notServingSince: NOW - MINUTE, passesMissing: 1 });
    const twice = stateAfter(once, probed(row()));
    expect(twice.tracks[ID]).toMatchObject({ serving: true, servingSince: NOW, passesMissing: 0 });
  });

  test("an instance that answers every other probe is not back", () => {
    let m = tracked(silentTrack(MINUTE));
    for (let i = 0; i < 10; i += 1) {
      m = stateAfter(stateAfter(m, probed(row())), probed(row(), failing()));
      expect(m.tracks[ID]).toMatchObject({ serving: false, notServingSince: NOW - MINUTE, passesMissing: 2 });
    }
  });

  test("an app that takes its time to start serves with its first passing probe, however many failed before", () => {
    let m = tracked(waitingTrack(MINUTE));
    for (let i = 0; i < 10; i += 1) m = stateAfter(m, probed(row(), failing()));
    expect(stateAfter(m, probed(row())).tracks[ID]?.serving).toBe(true);
  });

  test("an instance that has moved serves with its first passing probe, however it was before", () => {
    const elsewhere = { host: "203.0.113.9", port: 50000 };
    const moved = row({ ports: { "8000/tcp": 50000 } });
    const silent = stateAfter(tracked(silentTrack(MINUTE)), probed(moved, failing(elsewhere)));
    expect(stateAfter(silent, probed(moved, passing(elsewhere))).tracks[ID]?.serving).toBe(true);
  });

  test("a passing probe resets the count", () => {
    expect(stateAfter(tracked(servingTrack({ failedProbes: 2 })), probed(row())).tracks[ID]?.failedProbes).toBe(0);
  });

  test("a silence counts from its beginning, not from the last failed probe", () => {
    const t = stateAfter(tracked(silentTrack(MINUTE)), probed(row(), failing())).tracks[ID];
    expect(t?.notServingSince).toBe(NOW - MINUTE);
  });

  test("records that TCP connects while the HTTP probe fails", () => {
    const t = stateAfter(tracked(silentTrack(MINUTE)), probed(row(), failing(endpoint, true))).tracks[ID];
    expect(t).toMatchObject({ tcpOpen: true, serving: false });
  });

  test("changes nothing when nothing was probed", () => {
    expect(stateAfter(tracked(servingTrack()), observation([row()])).tracks[ID]?.serving).toBe(true);
  });

  test("counts probes while the list is unknown", () => {
    const seen = observation([], { list: unknown(), probes: new Map([[ID, failing()]]) });
    expect(stateAfter(tracked(servingTrack({ failedProbes: 2 })), seen).tracks[ID]?.serving).toBe(false);
  });
});

describe("the endpoint", () => {
  const elsewhere = { host: "203.0.113.9", port: 50000 };

  test("an instance whose port moved serves once the new one answers", () => {
    const moved = row({ ports: { "8000/tcp": 50000 } });
    const silent = stateAfter(tracked(servingTrack()), probed(moved, failing(elsewhere))).tracks[ID];
    expect(silent).toMatchObject({ serving: false, endpoint: elsewhere, failedProbes: 1 });
    const answers = stateAfter(tracked(servingTrack()), probed(moved, passing(elsewhere))).tracks[ID];
    expect(answers).toMatchObject({ serving: true, endpoint: elsewhere });
  });

  test("a probe of the old address proves nothing about the new one", () => {
    const moved = row({ address: "203.0.113.77" });
    expect(stateAfter(tracked(servingTrack()), probed(moved)).tracks[ID]?.serving).toBe(false);
  });

  test.each([null, {}])("keeps its port while a running container's map is missing for a poll: %j", (ports) => {
    const t = stateAfter(tracked(servingTrack()), probed(row({ ports, directPortStart: 41230 }))).tracks[ID];
    expect(t).toMatchObject({ serving: true, endpoint });
  });

  test("takes the new address while the map is missing for a poll", () => {
    const t = stateAfter(tracked(servingTrack()), observation([row({ ports: null, address: "203.0.113.77" })])).tracks[
      ID
    ];
    expect(t).toMatchObject({ serving: false, endpoint: { host: "203.0.113.77", port: 41234 } });
  });

  test("keeps its address while a running container's address is missing for a poll", () => {
    const t = stateAfter(tracked(servingTrack()), probed(row({ ports: null, address: "" }))).tracks[ID];
    expect(t).toMatchObject({ serving: true, endpoint });
  });

  test("keeps its address while only that is missing for a poll", () => {
    const t = stateAfter(tracked(servingTrack()), probed(row({ address: "" }))).tracks[ID];
    expect(t).toMatchObject({ serving: true, endpoint });
  });

  test.each(["unknown", "offline"])(
    "keeps its endpoint and serves on it while the heartbeat is lost: %s",
    (actualStatus) => {
      for (const shown of [{}, { ports: null }, { address: "", ports: null }]) {
        const t = stateAfter(tracked(servingTrack()), probed(row({ actualStatus, ...shown }))).tracks[ID];
        expect(t).toMatchObject({ serving: true, endpoint });
      }
    },
  );

  test("has no endpoint for a minute from when a running container's map was last seen", () => {
    const unchosen = waitingTrack(HOUR, { runningSince: NOW - HOUR });
    const withoutMap = observation([row({ ports: null })]);
    const first = stateAfter(tracked(unchosen), withoutMap);
    expect(first.tracks[ID]).toMatchObject({ noMapSince: NOW, endpoint: null });
    expect(stateAfter(first, withoutMap, NOW + MINUTE - 1).tracks[ID]?.endpoint).toBeNull();
    expect(stateAfter(first, withoutMap, NOW + MINUTE).tracks[ID]?.endpoint).toEqual(endpoint);
    const shown = stateAfter(first, observation([row({ ports: { "22/tcp": 41234 } })]));
    expect(shown.tracks[ID]).toMatchObject({ noMapSince: null, endpoint: null });
  });

  test("stops serving at once when the container stops and its map disappears", () => {
    const t = stateAfter(tracked(servingTrack()), probed(row({ actualStatus: "loading", ports: null }))).tracks[ID];
    expect(t).toMatchObject({ serving: false, endpoint: null });
  });
});

describe("waiting", () => {
  test("a new row is waited for from now on", () => {
    expect(stateAfter(state(), observation([startingRow()])).tracks[ID]).toMatchObject({
      waitingSince: NOW,
      firstSeenAt: NOW,
      runningSince: null,
      wasReady: false,
      serving: false,
    });
  });

  const stored = (since: number) => ({ counters: new Map([[ID, { waitingSince: since, restarts: 0 }]]) });

  test("a wait in the ban store is continued", () => {
    const seen = observation([startingRow()], stored(NOW - MINUTE));
    expect(stateAfter(state(), seen).tracks[ID]?.waitingSince).toBe(NOW - MINUTE);
    expect(stateAfter(tracked(waitingTrack(SECOND)), seen).tracks[ID]?.waitingSince).toBe(NOW - MINUTE);
  });

  test("a wait never begins in the future", () => {
    expect(stateAfter(state(), observation([startingRow()], stored(NOW + HOUR))).tracks[ID]?.waitingSince).toBe(NOW);
  });

  test("running time counts from its first observation, and again from zero after an interruption", () => {
    expect(stateAfter(tracked(waitingTrack(MINUTE)), observation([row()])).tracks[ID]?.runningSince).toBe(NOW);
    const interrupted = stateAfter(tracked(waitingTrack(MINUTE, { runningSince: 5 })), observation([startingRow()]));
    expect(interrupted.tracks[ID]?.runningSince).toBeNull();
  });

  test("the track of an instance that is no longer listed is removed", () => {
    expect(stateAfter(tracked(servingTrack()), observation([])).tracks).toEqual({});
  });
});

describe("lost and back", () => {
  const exited = row({ actualStatus: "exited" });
  const lost = { since: NOW - MINUTE, reads: 1, readAt: NOW - MINUTE };

  test("the grace of a stopped instance begins when the account has credit again", () => {
    const stopped = row({ curState: "stopped" });
    const poor = stateAfter(tracked(silentTrack(MINUTE, { lost })), observation([stopped], { credit: known(0) }));
    expect(poor.tracks[ID]?.lost).toEqual({ since: NOW, reads: 0, readAt: NOW });
    const later = NOW + HOUR;
    const paid = stateAfter(poor, observation([stopped], { credit: known(20), listedAt: later }), later);
    expect(paid.tracks[ID]?.lost).toMatchObject({ since: NOW, reads: 1, readAt: later });
  });

  test("an instance that was down while it was lost has restarted, although it serves again before a list shows it", () => {
    const restarts = (before: Partial<ReturnType<typeof servingTrack>>) => {
      const down = stateAfter(tracked({ ...servingTrack(), ...before }), observation([exited]));
      const serves = tracked({ ...servingTrack(), lost: down.tracks[ID]?.lost ?? null });
      return stateAfter(serves, observation([row()], { listedAt: NOW + 1 })).tracks[ID]?.uncountedRestarts;
    };
    expect(restarts({ failedProbes: 1 })).toBe(1);
    expect(restarts({ serving: false })).toBe(1);
  });

  test("being lost counts from the first read that shows it", () => {
    expect(stateAfter(tracked(servingTrack()), observation([exited])).tracks[ID]?.lost).toEqual({
      since: NOW,
      reads: 1,
      readAt: NOW,
    });
  });

  test("another list is another read, the same list is not", () => {
    const before = tracked(silentTrack(MINUTE, { lost }));
    expect(stateAfter(before, observation([exited])).tracks[ID]?.lost).toMatchObject({ since: NOW - MINUTE, reads: 2 });
    const again = observation([exited], { listedAt: NOW - MINUTE });
    expect(stateAfter(before, again).tracks[ID]?.lost?.reads).toBe(1);
  });

  test("a ready instance that was lost and came back counts as a restart", () => {
    const t = stateAfter(tracked(silentTrack(MINUTE, { lost })), observation([row()])).tracks[ID];
    expect(t).toMatchObject({ lost: null, uncountedRestarts: 1 });
  });

  test("a crash so short that no threshold was reached counts as a restart", () => {
    const t = stateAfter(tracked(servingTrack({ failedProbes: 1, lost })), probed(row())).tracks[ID];
    expect(t).toMatchObject({ serving: true, lost: null, uncountedRestarts: 1 });
  });

  test("an instance with the status of a lost one that answered all the time is not counted as restarted", () => {
    const t = stateAfter(tracked(servingTrack({ lost })), probed(row())).tracks[ID];
    expect(t).toMatchObject({ lost: null, uncountedRestarts: 0 });
  });

  test("an instance that never was ready is not counted as restarted", () => {
    expect(
      stateAfter(tracked(waitingTrack(MINUTE, { lost })), observation([row()])).tracks[ID]?.uncountedRestarts,
    ).toBe(0);
  });

  test("a start of the provisioner that finds an instance counts as a restart of it", () => {
    const once = countStart(tracked(servingTrack()));
    expect(once.tracks[ID]?.uncountedRestarts).toBe(1);
    expect(countStart(state()).tracks).toEqual({});
  });
});
