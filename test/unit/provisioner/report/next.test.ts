import { expect, test } from "vitest";
import { type LoopState, startState } from "../../../../provisioner/loop-state.ts";
import { type DecisionSettings, nextOf } from "../../../../provisioner/report/next.ts";
import { fileOf } from "../loop.ts";
import {
  decided,
  desired,
  HOUR,
  inputOf,
  limits,
  MINUTE,
  NOW,
  observation,
  planned,
  published,
  row,
  SECOND,
  type SituationChanges,
  servingTrack,
  silentTrack,
  startingRow,
  state,
  tracks,
  unknown,
  waitingTrack,
} from "../plan/situation.ts";

const ID = 7835610;
const SETTINGS: DecisionSettings = { desired, limits, policy: "sync", firstCreateWaitMs: 10 * SECOND };

/** What comes next after a pass that decided on this situation. */
function next(
  situation: SituationChanges,
  loopOver: Partial<LoopState> = {},
  settings: Partial<DecisionSettings> = {},
) {
  const { seen, state: before, ownership } = inputOf(situation);
  const loop: LoopState = {
    ...startState(before, NOW - HOUR),
    ownership,
    seen,
    plan: planned(situation),
    file: situation.published === undefined ? null : fileOf(situation.published),
    passes: 3,
    nextPassAt: NOW + 2 * SECOND,
    ...loopOver,
  };
  return nextOf(loop, { ...SETTINGS, ...settings }, NOW);
}

const at = (ms: number) => new Date(NOW + ms).toISOString();
const LOADING = { seen: observation([startingRow()]), state: state({ tracks: tracks(ID, waitingTrack(6 * MINUTE)) }) };

test("is not known before the first pass", () => {
  expect(next({}, { plan: null, seen: null })).toBeNull();
});

test("a loading instance is waited for until BLACKLIST_BAN_AFTER_SECONDS are over; then it is replaced and its host banned", () => {
  expect(next(LOADING)).toEqual({
    waitsFor: `instance ${ID} to become ready`,
    lookAt: at(2 * SECOND),
    deadline: at(14 * MINUTE + 1),
    afterwards: `host 77001 is banned, instance ${ID} is destroyed (start_timeout), and another one is created`,
  });
});

test("an app that does not listen is replaced without a ban; after the second one the next create waits", () => {
  const track = waitingTrack(6 * MINUTE, { runningSince: NOW - 5 * MINUTE });
  const running = { seen: observation([row()]), state: state({ tracks: tracks(ID, track) }) };
  expect(next(running)).toMatchObject({
    deadline: at(15 * MINUTE + 1),
    afterwards: `instance ${ID} is destroyed (app_not_listening), and another one is created`,
  });
  const again = { ...running.state, notListening: { wanted: desired.revision, count: 1 } };
  expect(next({ ...running, state: again })?.afterwards).toBe(
    `instance ${ID} is destroyed (app_not_listening), and the next create waits`,
  );
});

test("an instance that serves is waited for without a deadline", () => {
  const serving = { seen: observation([row()]), state: state({ tracks: tracks(ID, servingTrack()) }) };
  expect(next(serving)).toMatchObject({
    waitsFor: `a change of the image, the template or instance ${ID}, or the end of its contract`,
    deadline: null,
  });
});

test("an instance whose contract ends some day is waited for until it is replaced for that", () => {
  const contractEnd = { at: NOW + 48 * HOUR, since: NOW - HOUR, reads: 9, readAt: NOW - MINUTE };
  const tracked = { [ID]: servingTrack({ contractEnd }) };
  const serving = { seen: observation([row({ endsAt: NOW + 48 * HOUR })]), state: state({ tracks: tracked }) };
  expect(next(serving)).toMatchObject({
    deadline: at(48 * HOUR - 15 * MINUTE),
    afterwards: `instance ${ID} is destroyed (contract_ending), and another one is created`,
  });
});

test("an instance that does not answer has its time to come back", () => {
  const silent = { seen: observation([row()]), state: state({ tracks: tracks(ID, silentTrack(MINUTE)) }) };
  expect(next(silent)).toMatchObject({
    waitsFor: `instance ${ID} to answer again`,
    deadline: at(4 * MINUTE + 1),
    afterwards: `instance ${ID} is destroyed (unreachable), and another one is created`,
  });
});

test("a stopped instance is replaced only after two lists have shown it, which come before the deadline", () => {
  const lost = { since: NOW - 20 * SECOND, reads: 1, readAt: NOW - 20 * SECOND };
  const track = silentTrack(20 * SECOND, { lost, notServingSince: NOW - 20 * SECOND });
  const stopped = { seen: observation([row({ curState: "stopped" })]), state: state({ tracks: tracks(ID, track) }) };
  expect(next(stopped)).toMatchObject({
    waitsFor: `instance ${ID} to come back`,
    deadline: at(40 * SECOND),
    afterwards: `instance ${ID} is destroyed (instance_stopped), and another one is created`,
  });
});

test("a backoff says when the next create is tried", () => {
  const backoff = {
    reason: "no_offer" as const,
    message: "m",
    failures: 3,
    until: NOW + 6 * MINUTE,
    wanted: desired.revision,
  };
  expect(next({ state: state({ backoff }) })).toMatchObject({
    waitsFor: "an offer that VAST_SEARCH_QUERY and VAST_MAX_DPH allow",
    deadline: at(6 * MINUTE),
    afterwards: "an instance is created",
  });
});

test("a spent budget says when the next create is possible", () => {
  const creates = Array.from({ length: limits.maxCreatesPerHour }, (_, i) => NOW - (i + 1) * MINUTE);
  expect(next({ state: state({ creates }) })).toMatchObject({
    deadline: at(55 * MINUTE),
    afterwards: "an instance is created",
  });
});

test("an open create is looked for until its deadline", () => {
  const open = { offerId: 5, hostId: 1, machineId: 2, dollarsPerHour: 0.3, label: "l", startedAt: NOW - 30 * SECOND };
  expect(next({ state: state({ intent: { ...open, contract: 42 } }) })).toMatchObject({
    deadline: at(90 * SECOND),
    afterwards: "instance 42 is destroyed (create_never_appeared), and another one is created",
  });
  expect(next({ state: state({ intent: { ...open, contract: null } }) })).toMatchObject({
    deadline: at(90 * SECOND),
    afterwards: "the create is given up, and another instance is created",
  });
});

test("a second empty list is waited for", () => {
  const first = state({ confirmedNone: false, firstNoneAt: NOW - 4 * SECOND });
  expect(next({ state: first })).toMatchObject({ deadline: at(6 * SECOND), afterwards: "an instance is created" });
});

test("an instance that is being destroyed: its destroy is sent again", () => {
  const pendingDeletes = [
    { id: ID, reason: "start_timeout", since: NOW - 20 * SECOND, deleteSentAt: NOW - 20 * SECOND },
  ];
  expect(next({ seen: observation([row()]), state: state({ pendingDeletes }) })).toMatchObject({
    deadline: at(40 * SECOND),
    afterwards: `the destroy of instance ${ID} is sent again`,
  });
});

test("while the list is unknown, the server is published for a limited time", () => {
  const unknownList = {
    seen: observation([], { list: unknown() }),
    state: state({ tracks: tracks(ID, servingTrack()), listUnknownSince: NOW - MINUTE }),
    published: published(),
  };
  const shown = next(unknownList);
  expect(shown).toMatchObject({ waitsFor: "an instance list from the API", deadline: at(59 * MINUTE + 1) });
  expect(shown?.afterwards).toContain("the instance list is unknown");
  expect(
    next({ ...unknownList, limits: { httpProbe: true } }, {}, { limits: { ...limits, httpProbe: true } })?.deadline,
  ).toBeNull();
});

test("the lease of another provisioner is waited for without a deadline, an unanswered question about it with one", () => {
  const none = { state: state() };
  const other = { kind: "other", owner: "vast-pod-0 (pid 1)", until: NOW + MINUTE } as const;
  expect(next({ ...none, ownership: other })).toMatchObject({
    waitsFor: "the other provisioner to stop using this label",
    deadline: null,
  });
  const unanswered = { kind: "unknown", why: "timeout", until: NOW + 90 * SECOND } as const;
  expect(next({ ...none, ownership: unanswered })).toMatchObject({
    deadline: at(90 * SECOND),
    afterwards: "an instance is created",
  });
});

test("what is decided and not done yet says what holds it up", () => {
  const create = { state: state() };
  expect(decided(create).actions).toHaveLength(1);
  expect(next(create)).toEqual({
    waitsFor: "the next pass",
    lookAt: at(2 * SECOND),
    deadline: null,
    afterwards: "an instance is created",
  });
  const turn = { ...planned(create), reason: "waiting_for_turn" as const };
  expect(next(create, { plan: turn })).toMatchObject({
    waitsFor: "its turn among the pods with this API key",
    afterwards: "an instance is created",
  });
  expect(next(create, { problem: "the disk is full" })?.waitsFor).toBe(
    "the state file and the upstream file to become writable",
  );
});

test("what the policy suppresses is named as such, now and at a deadline", () => {
  const observe = { policy: "observe" } as const;
  expect(next({ state: state() }, {}, observe)).toMatchObject({
    waitsFor: "a person, or another VAST_POLICY",
    afterwards: "nothing, because VAST_POLICY=observe suppresses it; otherwise an instance is created",
  });
  expect(next(LOADING, {}, observe)?.afterwards).toBe(
    `nothing, because VAST_POLICY=observe suppresses it; otherwise host 77001 is banned, instance ${ID} is destroyed (start_timeout), and another one is created`,
  );
});
