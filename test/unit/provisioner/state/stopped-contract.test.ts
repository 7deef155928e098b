// A stopped contract is not served, whoever answers at its address; noise about the container is outvoted by the probe.
import fc from "fast-check";
import { expect, test } from "vitest";
import { applyObservation } from "../../../../provisioner/state/apply-observation.ts";
import { withLaterProbes } from "../../../../provisioner/state/track.ts";
import {
  decided,
  desired,
  MINUTE,
  NOW,
  observation,
  passing,
  published,
  row,
  SECOND,
  servingTrack,
  state,
  tracks,
} from "../plan/situation.ts";

const ID = 7835610;

const look = fc.record({
  newList: fc.boolean(),
  intendedStatus: fc.constantFrom("running", "stopped"),
  curState: fc.constantFrom("running", "stopped"),
  nextState: fc.constantFrom("running", "stopped"),
  actualStatus: fc.constantFrom("running", "exited", "stopped", "offline", "unknown", "loading", null),
});

test("it is withdrawn with the second list that shows it stopped, and served again only when a list shows it running", () => {
  fc.assert(
    fc.property(fc.array(look, { maxLength: 12 }), (looks) => {
      let known = state({ tracks: tracks(ID, servingTrack()) });
      let [now, listedAt, inARow, row_] = [NOW, NOW, 0, row()];
      for (const { newList, ...words } of looks) {
        now += 10 * SECOND;
        if (newList) {
          [listedAt, row_] = [now, row(words)];
          inARow = words.intendedStatus === "stopped" || words.curState === "stopped" ? inARow + 1 : 0;
        }
        const seen = observation([row_], { listedAt, probes: new Map([[ID, passing()]]) });
        known = applyObservation(known, seen, desired, 10 * SECOND, now);
        expect(known.tracks[ID]?.serving).toBe(inARow < 2);
        const { serving } = decided({ seen, state: known, now, published: published() });
        expect(serving.server === null).toBe(inARow >= 2);
      }
    }),
  );
});

test("a probe that the other loop made meanwhile does not bring it back", () => {
  const stopped = servingTrack({ serving: false, notServingSince: NOW, stopped: { reads: 2, readAt: NOW } });
  const other = servingTrack({ probedAt: NOW + SECOND });
  expect(withLaterProbes(stopped, other)).toMatchObject({
    serving: false,
    notServingSince: NOW,
    probedAt: NOW + SECOND,
  });
});

test("it is replaced after its grace although something answers", () => {
  const since = NOW - 2 * MINUTE;
  const stopped = servingTrack({
    serving: false,
    notServingSince: since,
    stopped: { reads: 3, readAt: NOW },
    lost: { since, reads: 3, readAt: NOW },
  });
  const seen = observation([row({ curState: "stopped" })], { probes: new Map([[ID, passing()]]) });
  const { reason, actions } = decided({ seen, state: state({ tracks: tracks(ID, stopped) }) });
  expect(reason).toBe("instance_stopped");
  expect(actions).toContainEqual(expect.objectContaining({ kind: "destroy", id: ID }));
});
