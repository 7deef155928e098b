import { expect, test } from "vitest";
import { logUpdates, updateOutcomes } from "../../../../provisioner/report/update-counts.ts";
import { fakeLog } from "../fakes.ts";
import { HASH, MINUTE, NOW, servingTrack, state } from "../plan/situation.ts";

const updating = {
  instanceId: 7,
  wanted: "image example/app:2",
  image: "example/app:2",
  templateHash: HASH,
  startedAt: NOW,
  sentAt: NOW,
  recycledAt: null,
  failed: null,
  before: null,
  statusBefore: "",
  undo: null,
};
const begun = state({ updating });
const recycled = state({ updating: { ...updating, recycledAt: NOW } });
const failed = state({ updating: { ...updating, failed: "no" } });
const heldReplacement = {
  instanceId: 7,
  wanted: "w",
  reason: "update_refused" as const,
  message: "m",
  failures: 1,
  until: NOW + MINUTE,
};

test("what came of an update is counted once, in the pass in which it happens", () => {
  expect(updateOutcomes(state(), begun)).toEqual([]);
  expect(updateOutcomes(begun, recycled)).toEqual(["recycled"]);
  expect(updateOutcomes(recycled, recycled)).toEqual([]);
  expect(updateOutcomes(recycled, state({ tracks: { 7: servingTrack() } }))).toEqual(["done"]);
  const undone = { ...updating, recycledAt: NOW, undo: { why: "no", unanswered: 0 } };
  expect(updateOutcomes(state({ updating: undone }), state({ tracks: { 7: servingTrack() } }))).toEqual(["undone"]);
  expect(updateOutcomes(recycled, state())).toEqual([]);
  expect(updateOutcomes(begun, failed)).toEqual(["failed"]);
  expect(updateOutcomes(failed, failed)).toEqual([]);
  expect(updateOutcomes(state(), state({ heldReplacement }))).toEqual(["postponed"]);
  expect(updateOutcomes(state({ heldReplacement }), state({ heldReplacement }))).toEqual([]);
});

test("a surge is counted when one of the two is gone, and one for the end of a contract is not", () => {
  const old = { id: 7, wanted: "w", reported: "r" };
  const surge = { old, newId: 8, since: NOW };
  const two = { 7: servingTrack(), 8: servingTrack() };
  const begun = state({ surge, tracks: two });
  const over = state({ tracks: { 8: servingTrack() } });
  const ended = state({
    tracks: { 7: servingTrack() },
    heldReplacement: { ...heldReplacement, reason: "update_failed" },
  });
  expect(updateOutcomes(begun, begun)).toEqual([]);
  expect(updateOutcomes(begun, over)).toEqual(["done"]);
  expect(updateOutcomes(begun, ended)).toEqual(["failed"]);
  expect(updateOutcomes(begun, state({ tracks: { 7: servingTrack() } }))).toEqual([]);
  expect(updateOutcomes(over, over)).toEqual([]);
  const ends = state({ surge: { ...surge, old: { ...old, ends: true } }, tracks: two });
  expect([updateOutcomes(ends, over), updateOutcomes(ends, ended)]).toEqual([[], []]);
});

test("a failed update is logged once as a warning that says what follows", () => {
  const { log, lines } = fakeLog();
  logUpdates(log, begun, recycled);
  logUpdates(log, begun, failed);
  logUpdates(log, failed, failed);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({
    instance: 7,
    msg: expect.stringMatching(/cannot be updated in place.*: no\. It is replaced/),
  });
});
