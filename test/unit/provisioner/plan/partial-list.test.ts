import { expect, test } from "vitest";
import type { Why } from "../../../../provisioner/model/observation.ts";
import { applyObservation } from "../../../../provisioner/state/apply-observation.ts";
import { countCosts } from "../../../../provisioner/state/money.ts";
import type { State } from "../../../../provisioner/state/schema.ts";
import { vanishedIds } from "../../../../provisioner/state/vanished.ts";
import {
  decided,
  desired,
  HOUR,
  MINUTE,
  NOW,
  observation,
  passing,
  published,
  row,
  SECOND,
  servingTrack,
  silentTrack,
  state,
  tracks,
} from "./situation.ts";

const partial: Why = { message: "GET /api/v1/instances/: HTTP 500", account: null };
const one = row();
const serving = { state: state({ tracks: tracks(one.id, servingTrack()) }), published: published() };
const deleting = (id: number) => ({
  id,
  reason: "image_changed",
  since: NOW - 3 * MINUTE,
  deleteSentAt: NOW - 2 * MINUTE,
});
const intent = (contract: number | null): State["intent"] => ({
  offerId: 5,
  dollarsPerHour: 0.3,
  hostId: null,
  machineId: null,
  label: desired.label,
  startedAt: NOW - 10 * MINUTE,
  contract,
});

test("the instance whose row has come is served on without a limit of time", () => {
  const plan = decided({ ...serving, seen: observation([one], { partial }) });
  expect(plan).toMatchObject({ reason: "instance_ready", state: "ready", serving: { server: published().server } });
  expect(plan.actions).toEqual([]);
});

test("a server is not given up for another image before the list is known, and the message says so", () => {
  const seen = observation([row({ image: "example/app:1" })], { partial });
  const whole = observation([row({ image: "example/app:1" })]);
  expect(decided({ ...serving, seen: whole }).actions.map(({ kind }) => kind)).toContain("destroy");
  const plan = decided({ ...serving, seen });
  expect(plan).toMatchObject({ state: "ready", serving: { server: published().server }, actions: [] });
  expect(plan.message).toContain("waiting for the instance list, which is unknown: GET /api/v1/instances/: HTTP 500");
});

test("an instance that has exited and serves nobody is destroyed: its row says so", () => {
  const lost = row({ actualStatus: "exited" });
  const track = silentTrack(HOUR, { lost: { since: NOW - HOUR, reads: 5, readAt: NOW } });
  const plan = decided({ state: state({ tracks: tracks(lost.id, track) }), seen: observation([lost], { partial }) });
  expect(plan.reason).toBe("instance_exited");
  expect(plan.actions).toContainEqual(expect.objectContaining({ kind: "destroy", id: lost.id }));
});

test("neither a pending delete nor a lost contract is destroyed by it", () => {
  const before = { ...serving.state, pendingDeletes: [deleting(3)], intent: intent(4) };
  const kinds = (seen: ReturnType<typeof observation>) =>
    decided({ ...serving, state: before, seen }).actions.flatMap((a) => (a.kind === "destroy" ? [a.id] : []));
  expect(kinds(observation([one, row({ id: 3 })]))).toEqual([3, 4]);
  expect(kinds(observation([one, row({ id: 3 })], { partial }))).toEqual([]);
});

test("no create follows from it, nor the end of the search for the instance of a create", () => {
  for (const it of [state(), state({ intent: intent(null) }), state({ intent: intent(4) })]) {
    expect(decided({ state: it, seen: observation([]) }).actions).toHaveLength(1);
    const plan = decided({ state: it, seen: observation([], { partial }) });
    expect(plan.actions).toEqual([]);
  }
});

test("a pending delete, another instance and a create of unknown outcome are remembered", () => {
  const before = state({
    tracks: { ...tracks(one.id, servingTrack()), ...tracks(9, servingTrack()) },
    pendingDeletes: [deleting(3)],
    intent: intent(null),
    confirmedNone: false,
  });
  const seen = observation([one], { partial, probes: new Map([[one.id, passing()]]) });
  const after = applyObservation(before, seen, desired, 10 * SECOND, NOW);
  expect(after).toMatchObject({ pendingDeletes: before.pendingDeletes, intent: before.intent, confirmedNone: false });
  expect(Object.keys(after.tracks).map(Number).sort()).toEqual([9, one.id].sort());
  expect(vanishedIds(before, seen)).toEqual([]);
  const whole = applyObservation(before, observation([one]), desired, 10 * SECOND, NOW);
  expect(whole).toMatchObject({ pendingDeletes: [], intent: null, confirmedNone: true });
  expect(vanishedIds(before, observation([one]))).toEqual([9]);
});

test("the contract of a create is found by it", () => {
  const before = state({ intent: intent(one.id) });
  const after = applyObservation(before, observation([one], { partial }), desired, 10 * SECOND, NOW);
  expect(after.intent).toBeNull();
  expect(after.tracks[one.id]).toBeDefined();
});

test("its instance is paid for, and no other one counts as gone", () => {
  const rows = [one, row({ id: 9 })];
  const costs = { pendingDeletes: [], publishedId: one.id };
  const before = countCosts(state().money, { ...costs, seen: observation(rows), now: NOW });
  const listedAt = NOW + MINUTE;
  const seen = (over: object) => ({ ...costs, seen: { ...observation([one]), listedAt, ...over }, now: listedAt });
  expect(countCosts(before, seen({ partial })).instances[9]?.goneAt).toBeNull();
  expect(countCosts(before, seen({})).instances[9]?.goneAt ?? listedAt).not.toBeNull();
});
