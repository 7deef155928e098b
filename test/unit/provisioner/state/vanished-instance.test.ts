// Instances that vanish from the list, and contracts that never came into it.
import { expect, test } from "vitest";
import { known } from "../../../../provisioner/model/observation.ts";
import { applyObservation } from "../../../../provisioner/state/apply-observation.ts";
import {
  createAction,
  desired,
  MINUTE,
  NOW,
  observation,
  planned,
  row,
  SECOND,
  servingTrack,
  state,
} from "../plan/situation.ts";

const ID = 7835610;
const WAIT = 10 * SECOND;
const stateAfter = (before: ReturnType<typeof state>, at: number) =>
  applyObservation(before, observation([], { listedAt: at, list: known([]) }), desired, WAIT, at);

test("an instance that disappears without our destroy is replaced only after a second empty list", () => {
  const first = stateAfter(state({ tracks: { [ID]: servingTrack() } }), NOW);
  expect(planned({ state: first })).toMatchObject({ reason: "confirming_none", server: null, actions: [] });
  const early = stateAfter(first, NOW + WAIT - 1);
  expect(planned({ state: early, now: NOW + WAIT - 1 }).actions).toEqual([]);
  const second = stateAfter(early, NOW + WAIT);
  expect(planned({ state: second, now: NOW + WAIT }).actions).toEqual([createAction]);
});

test("an instance that a list left out once is kept when the next one has it", () => {
  const first = stateAfter(state({ tracks: { [ID]: servingTrack() } }), NOW);
  const again = applyObservation(first, observation([row()], { listedAt: NOW + SECOND }), desired, WAIT, NOW + SECOND);
  expect(again.confirmedNone).toBe(true);
  expect(planned({ state: again, seen: observation([row()]) }).actions).toEqual([]);
});

test("an instance that we destroyed is replaced at the first list that lacks it", () => {
  const pendingDeletes = [{ id: ID, reason: "image_changed", since: NOW - MINUTE, deleteSentAt: NOW - MINUTE }];
  const after = stateAfter(state({ tracks: { [ID]: servingTrack() }, pendingDeletes }), NOW);
  expect(planned({ state: after }).actions).toEqual([createAction]);
});

test("a contract that was never listed is destroyed by its id, also when another row of our label is listed", () => {
  const intent = {
    offerId: 1,
    hostId: 2,
    machineId: 3,
    dollarsPerHour: 0.3,
    label: desired.label,
    startedAt: NOW - 121 * SECOND,
    contract: 99,
  };
  const situation = state({ intent, tracks: { [ID]: servingTrack() } });
  const destroys = (startedAt: number) =>
    planned({ state: { ...situation, intent: { ...intent, startedAt } }, seen: observation([row()]) }).actions;
  expect(destroys(NOW - 121 * SECOND)).toMatchObject([{ kind: "destroy", id: 99, reason: "create_never_appeared" }]);
  expect(destroys(NOW - 60 * SECOND)).toEqual([]);
});

test("the destroy of a contract that is not listed is sent each minute until the API answers that it is gone", () => {
  const pendingDeletes = {
    id: 99,
    reason: "create_never_appeared",
    since: NOW - 5 * MINUTE,
    deleteSentAt: NOW - MINUTE,
  };
  const still = stateAfter(state({ pendingDeletes: [pendingDeletes] }), NOW);
  expect(still.pendingDeletes).toEqual([pendingDeletes]); // its DELETE timed out: a list that lacks it proves nothing
  expect(planned({ state: still }).actions).toContainEqual(
    expect.objectContaining({ kind: "destroy", id: 99, reason: "still_listed" }),
  );
  expect(planned({ state: still, now: NOW - 1 }).actions).not.toContainEqual(expect.objectContaining({ id: 99 }));
  expect(
    stateAfter(state({ pendingDeletes: [{ ...pendingDeletes, deleteConfirmed: true }] }), NOW).pendingDeletes,
  ).toEqual([]);
  expect(
    stateAfter(state({ pendingDeletes: [{ ...pendingDeletes, reason: "image_changed" }] }), NOW).pendingDeletes,
  ).toEqual([]);
});
