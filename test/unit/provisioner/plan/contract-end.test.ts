// An instance is replaced before its contract ends: when, what prevents it, and how often at most.
import { describe, expect, test } from "vitest";
import type { State, Track } from "../../../../provisioner/state/schema.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import {
  createAction,
  HOUR,
  MINUTE,
  NOW,
  observation,
  planned,
  row,
  SECOND,
  type SituationChanges,
  servingTrack,
  silentTrack,
  startingRow,
  state,
  tracks,
  waitingTrack,
} from "./situation.ts";

const ID = 7835610;
const said = (inMs: number, over: Partial<NonNullable<Track["contractEnd"]>> = {}) => ({
  contractEnd: { at: NOW + inMs, since: NOW - HOUR, reads: 9, readAt: NOW, ...over },
});

/** The plan for an instance whose contract ends so soon. */
function plannedFor(
  inMs: number,
  more: Omit<SituationChanges, "state"> & { row?: Partial<Instance>; track?: Track; state?: Partial<State> } = {},
) {
  const one = row({ endsAt: NOW + inMs, createdAt: NOW - 10 * HOUR, ...more.row });
  const known = more.track ?? servingTrack(said(inMs));
  return planned({ ...more, seen: observation([one]), state: state({ tracks: tracks(ID, known), ...more.state }) });
}
const BUSY = [1, 2, 3, 4, 5, 6].map((minutes) => NOW - minutes * MINUTE);

test("an instance that serves is replaced a quarter of an hour before its contract ends, and not earlier", () => {
  const plan = plannedFor(15 * MINUTE);
  expect(plan).toMatchObject({ reason: "contract_ending", state: "provisioning", server: null });
  expect(plan.actions).toContainEqual({
    kind: "destroy",
    id: ID,
    hostId: 77001,
    machineId: 4821,
    reason: "contract_ending",
    difference: {
      wanted: "a contract that goes on after 2026-11-23T15:15:00.000Z",
      reported: "a contract that ends at 2026-11-23T15:15:00.000Z",
    },
  });
  expect(plan.message).toBe(
    "instance 7835610 (RTX 4090, $0.316/h) has a contract that ends at 2026-11-23T15:15:00.000Z; it is replaced before that",
  );
  expect(plannedFor(15 * MINUTE + 1)).toMatchObject({ reason: "instance_ready", actions: [] });
});

describe("VAST_END_MARGIN_SECONDS", () => {
  test("says how long before", () => {
    const limits = { endMarginMs: 2 * HOUR };
    expect(plannedFor(2 * HOUR, { limits }).reason).toBe("contract_ending");
    expect(plannedFor(2 * HOUR + 1, { limits }).reason).toBe("instance_ready");
  });

  test("0 waits for the end", () => {
    expect(plannedFor(SECOND, { limits: { endMarginMs: 0 } }).reason).toBe("instance_ready");
  });

  test("is at most the half of a short contract: otherwise what has just come up would be replaced", () => {
    const ofMinutes = (minutes: number) =>
      plannedFor(6 * MINUTE, { row: { createdAt: NOW - minutes * MINUTE } }).reason;
    expect([ofMinutes(5), ofMinutes(6)]).toEqual(["instance_ready", "contract_ending"]);
  });
});

test.each<[string, Partial<NonNullable<Track["contractEnd"]>>]>([
  ["one list says so", { reads: 1 }],
  ["the first list that says so is less than a minute old", { since: NOW - 59 * SECOND }],
])("nothing is replaced when only %s", (_, over) => {
  expect(plannedFor(MINUTE, { track: servingTrack(said(MINUTE, over)) }).reason).toBe("instance_ready");
});

test("an instance that was found after the end of its contract, and serves, is kept: the date says nothing", () => {
  const track = servingTrack({ ...said(-2 * HOUR), firstSeenAt: NOW - HOUR });
  expect(plannedFor(-2 * HOUR, { track }).reason).toBe("instance_ready");
  expect(plannedFor(MINUTE, { row: { createdAt: NOW + 2 * MINUTE } }).reason).toBe("instance_ready");
});

test("one that is loading, or does not answer, is replaced as well", () => {
  const loading = waitingTrack(5 * MINUTE, said(MINUTE));
  expect(
    plannedFor(MINUTE, { row: startingRow({ endsAt: NOW + MINUTE, createdAt: null }), track: loading }).reason,
  ).toBe("contract_ending");
  expect(plannedFor(MINUTE, { track: silentTrack(MINUTE, said(MINUTE)) }).reason).toBe("contract_ending");
});

test("it comes before another image, which the new instance has anyway, and which may not be replaced for at the moment", () => {
  const replacements = [30, 20].map((minutes) => ({ at: NOW - minutes * MINUTE, revision: "demo example/app:2" }));
  const other = { row: { image: "example/app:1" }, state: { replacements } };
  expect(plannedFor(HOUR, other).reason).toBe("replacement_budget");
  expect(plannedFor(MINUTE, other).reason).toBe("contract_ending");
});

describe("an instance that serves is kept until its end", () => {
  test("while no create is left", () => {
    const plan = plannedFor(MINUTE, { state: { creates: BUSY } });
    expect(plan).toMatchObject({ reason: "create_budget", state: "blocked", actions: [] });
    expect(plan.server).not.toBeNull();
    expect(plan.message).toContain("it serves until then, because nothing may be created");
    const silent = silentTrack(MINUTE, said(MINUTE));
    expect(plannedFor(MINUTE, { state: { creates: BUSY }, track: silent }).reason).toBe("contract_ending");
  });

  test("while no other one can be created, and a refused destroy waits", () => {
    const held = (reason: "no_offer" | "destroy_refused") => ({
      instanceId: ID,
      wanted: "a contract that goes on after 2026-11-23T15:01:00.000Z",
      reason,
      message: "why",
      failures: 1,
      until: NOW + 3 * SECOND,
    });
    const plan = plannedFor(MINUTE, { state: { heldReplacement: held("no_offer") } });
    expect(plan).toMatchObject({ reason: "no_offer", state: "blocked", message: "why", nextCheckAt: NOW + 3 * SECOND });
    expect(plan.server).not.toBeNull();
    const silent = silentTrack(MINUTE, said(MINUTE));
    const of = (reason: "no_offer" | "destroy_refused") =>
      plannedFor(MINUTE, { track: silent, state: { heldReplacement: held(reason) } }).reason;
    expect([of("no_offer"), of("destroy_refused")]).toEqual(["contract_ending", "destroy_refused"]);
  });

  test("when two were replaced for that within an hour: their ends were hardly what the API says", () => {
    const ended = (...minutes: number[]) => ({
      state: { replacements: minutes.map((one) => ({ at: NOW - one * MINUTE, revision: "contract end" })) },
    });
    expect(plannedFor(MINUTE, ended(50, 10)).reason).toBe("instance_ready");
    expect(plannedFor(MINUTE, ended(61, 10)).reason).toBe("contract_ending");
  });
});

describe("with VAST_UPDATE_STRATEGY=surge", () => {
  const limits = { updateStrategy: "surge" } as const;
  const NEXT = 7835699;
  const difference = {
    wanted: "a contract that goes on after 2026-11-23T15:15:00.000Z",
    reported: "a contract that ends at 2026-11-23T15:15:00.000Z",
  };
  const ending = (over: Partial<Instance> = {}) =>
    row({ endsAt: NOW + 15 * MINUTE, createdAt: NOW - 10 * HOUR, ...over });
  const next = (over: Partial<Instance> = {}) => startingRow({ id: NEXT, endsAt: NOW + 48 * HOUR, ...over });
  const both = (known: Record<number, Track>, rows = [ending(), next()], over: Partial<State> = {}) =>
    planned({ limits, seen: observation(rows), state: state({ tracks: known, ...over }) });

  test("another one is created while it serves, and nothing is given up", () => {
    const plan = plannedFor(15 * MINUTE, { limits });
    expect(plan).toMatchObject({ reason: "contract_ending", state: "ready", server: {} });
    expect(plan.actions).toEqual([{ ...createAction, besides: { id: ID, ...difference, ends: true } }]);
    expect(plannedFor(15 * MINUTE, { limits, track: silentTrack(MINUTE, said(15 * MINUTE)) }).actions).toMatchObject([
      { kind: "destroy", id: ID, reason: "contract_ending" },
    ]);
    expect(plannedFor(15 * MINUTE, { limits, state: { creates: BUSY } }).actions).toEqual([]);
  });

  test("of two with the same image the one whose contract ends is the old one, also after a lost disk", () => {
    for (const [track, newTrack] of [
      [servingTrack(), waitingTrack(MINUTE)],
      [waitingTrack(0), waitingTrack(0)],
    ] as const)
      expect(both({ [ID]: track, [NEXT]: newTrack })).toMatchObject({ reason: "surging", actions: [] });
    const switched = both({ [ID]: servingTrack(), [NEXT]: servingTrack() });
    expect(switched).toMatchObject({
      reason: "surging",
      instance: { id: NEXT },
      actions: [{ kind: "destroy", id: ID }],
    });
  });

  test("two with the same image and no end are duplicates, and so are those whose end the host has put off", () => {
    const known = { [ID]: servingTrack(), [NEXT]: waitingTrack(MINUTE) };
    for (const endsAt of [null, NOW + 48 * HOUR])
      expect(both(known, [ending({ endsAt }), next()])).toMatchObject({
        reason: "duplicate",
        actions: [{ kind: "destroy", id: NEXT }],
      });
  });

  test("one list with a wrong date ends no replacement that has begun", () => {
    const known = { [ID]: servingTrack(), [NEXT]: waitingTrack(MINUTE) };
    const surge = { old: { id: ID, ...difference, ends: true }, newId: NEXT, since: NOW - MINUTE };
    for (const rows of [
      [ending({ endsAt: null }), next()],
      [ending(), next({ endsAt: NOW + MINUTE })],
    ])
      expect(both(known, rows, { surge })).toMatchObject({ reason: "surging", actions: [] });
  });

  test("another image that is wanted meanwhile waits until the new one serves", () => {
    const rows = [ending({ image: "example/app:1" }), next({ image: "example/app:1" })];
    const known = { [ID]: servingTrack(), [NEXT]: waitingTrack(MINUTE) };
    expect(both(known, rows)).toMatchObject({ reason: "surging", actions: [] });
  });
});
