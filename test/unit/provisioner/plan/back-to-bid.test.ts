// A pod that serves on demand because bids had failed: when it looks for a bid, and when it creates an instance with one.
import { describe, expect, test } from "vitest";
import type { Action } from "../../../../provisioner/model/plan.ts";
import { applyPolicy } from "../../../../provisioner/plan/policy.ts";
import type { State, Track } from "../../../../provisioner/state/schema.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import {
  createAction,
  decided,
  MINUTE,
  NOW,
  observation,
  planned,
  row,
  type SituationChanges,
  servingTrack,
  silentTrack,
  startingRow,
  state,
  unknown,
  waitingTrack,
} from "./situation.ts";

const ID = 7835610;
const NEXT = 7835699;
const bid = { factor: 1.2 };
const limits = { updateStrategy: "surge", bidding: { bid, fallsBack: true }, maxDollarsPerHour: 0.5 } as const;
const onDemand = { dollarsPerHour: 0.25 };
const fallback = { instanceIds: [ID], since: NOW - 2 * 3_600_000, looks: 0, attempts: 0, until: NOW, found: null };
const found = { dollarsPerHour: 0.11, at: NOW - MINUTE };
const offered = { fallback: { ...fallback, until: NOW + MINUTE, found } };
const create = { ...createAction, bid, maxDollarsPerHour: 0.225 };
const wanted = "a bid: $0.1100 instead of $0.2500 an hour";
const toBid = { id: ID, wanted, reported: "a price on demand", toBid: true };

function given(over: Partial<State> = {}, more: { row?: Partial<Instance>; track?: Track; limits?: object } = {}) {
  const seen = observation([row({ ...onDemand, ...more.row })]);
  const tracks = { [ID]: more.track ?? servingTrack() };
  return { limits: { ...limits, ...more.limits }, seen, state: state({ tracks, fallback, ...over }) };
}

test("it looks for a bid that is a tenth cheaper than what it pays, and goes on serving", () => {
  const plan = planned(given());
  expect(plan).toMatchObject({ reason: "instance_ready", state: "ready", server: { port: 41234 } });
  expect(plan.actions).toEqual([{ kind: "look_for_bid", create }]);
  expect(plan.nextCheckAt).toBeGreaterThan(NOW);
});

test("the price is never above VAST_MAX_DPH", () => {
  const [look] = planned(given({}, { row: { dollarsPerHour: 2 } })).actions;
  expect(look).toMatchObject({ create: { maxDollarsPerHour: 0.5 } });
});

test("where there is one, it creates an instance with a bid below this price, while the other one serves, and says why", () => {
  const plan = planned(given(offered));
  expect(plan).toMatchObject({ reason: "surging", state: "ready", server: { port: 41234 } });
  expect(plan.actions).toEqual([{ ...create, besides: toBid }]);
  expect(plan.message).toBe(
    `back to ${wanted}; instance 7835610 (RTX 4090, $0.250/h) serves until another one does, which is created now`,
  );
});

test.each<[string, SituationChanges]>([
  ["its next look is not due", given({ fallback: { ...fallback, until: NOW + 1 } })],
  ["what was found is old", given({ fallback: { ...offered.fallback, found: { ...found, at: NOW - 16 * MINUTE } } })],
  ["a bid has failed within the last hour", given({ ...offered, bidFailures: [NOW - 59 * MINUTE] })],
  ["another strategy is set", given(offered, { limits: { updateStrategy: "recreate" } })],
  ["it is to rent on demand", given(offered, { limits: { bidding: null } })],
  ["nothing falls back any more", given(offered, { limits: { bidding: { bid, fallsBack: false } } })],
  ["its row is a bid", given(offered, { row: { isBid: true } })],
  ["its price is unknown", given(offered, { row: { dollarsPerHour: null } })],
  ["it was not rented because bids had failed", given({ fallback: { ...offered.fallback, instanceIds: [5] } })],
  ["only one create is left", given({ ...offered, creates: Array.from({ length: 5 }, () => NOW - MINUTE) })],
  [
    "another one is being destroyed",
    given({ ...offered, pendingDeletes: [{ id: 5, reason: "duplicate", since: NOW, deleteSentAt: NOW }] }),
  ],
  ["the bans are unknown", { ...given(offered), seen: observation([row(onDemand)], { bans: unknown("away") }) }],
])("it serves and does nothing where %s", (_, changes) => {
  expect(planned(changes)).toMatchObject({ reason: "instance_ready", actions: [] });
});

test("a change of the image, or a lost instance, comes first", () => {
  expect(planned(given(offered, { row: { image: "example/app:1" } })).reason).toBe("image_changed");
  expect(planned(given(offered, { track: silentTrack(MINUTE) })).reason).toBe("instance_unreachable");
});

test("with VAST_POLICY=no-destroy it does not look, because a second instance could not be ended", () => {
  const { decision, suppressed } = applyPolicy(decided(given()), "no-destroy");
  expect(decision.actions).toEqual([]);
  expect(suppressed).toMatchObject([{ kind: "look_for_bid" }]);
});

describe("an instance on demand and one with a bid", () => {
  const next = (over: Partial<Instance> = {}) => startingRow({ id: NEXT, isBid: true, dollarsPerHour: 0.11, ...over });
  const surge = { old: toBid, newId: NEXT, since: NOW - MINUTE };
  function pair(track: Track, over: Partial<Instance> = {}, memory: Partial<State> = { surge }, more: object = {}) {
    const tracks = { [ID]: servingTrack(), [NEXT]: track };
    const seen = observation([row(onDemand), next(over)]);
    return { limits: { ...limits, ...more }, seen, state: state({ tracks, fallback, ...memory }) };
  }
  const destroyed = (actions: readonly Action[]) => actions.flatMap((one) => (one.kind === "destroy" ? [one.id] : []));

  test.each<[string, Partial<State>]>([
    ["as the state knows", { surge }],
    ["after a lost disk, by their rows", { fallback: null }],
  ])("belong together until the new one serves: %s", (_, memory) => {
    const waits = planned(pair(waitingTrack(MINUTE), {}, memory));
    expect(waits).toMatchObject({ reason: "surging", state: "ready", instance: { id: ID }, actions: [] });
    const running = row({ ...next(), actualStatus: "running", ports: { "8000/tcp": 41234 }, address: "203.0.113.9" });
    const switched = planned(pair(servingTrack(), running, memory));
    expect(switched).toMatchObject({ reason: "surging", state: "ready", instance: { id: NEXT } });
    expect(destroyed(switched.actions)).toEqual([ID]);
  });

  test("say why while the new one comes up", () => {
    expect(planned(pair(waitingTrack(MINUTE))).message).toMatch(`back to ${wanted}: instance ${ID} `);
  });

  test("are told apart by the state where the row of the new one does not say that it is a bid", () => {
    const waits = planned(pair(waitingTrack(MINUTE), { isBid: false }));
    expect(waits).toMatchObject({ reason: "surging", actions: [] });
  });

  test("the new one is destroyed at its deadline, and the pod serves on", () => {
    const late = planned(pair(waitingTrack(1201 * 1000)));
    expect(late).toMatchObject({ state: "ready", instance: { id: ID }, server: { port: 41234 } });
    expect(destroyed(late.actions)).toEqual([NEXT]);
  });

  test("are duplicates where nothing falls back to a price on demand", () => {
    const never = { bidding: { bid, fallsBack: false } };
    const plan = planned(pair(waitingTrack(MINUTE), {}, { fallback: null }, never));
    expect(plan.reason).toBe("duplicate");
    expect(destroyed(plan.actions)).toEqual([NEXT]);
  });
});

test("it is ready all the while, with VAST_SURGE_READY=new too", () => {
  const changes = { ...given(offered), published: { server: null, instance: null } };
  const plan = planned({ ...changes, limits: { ...changes.limits, surgeReady: "new" } });
  expect(plan).toMatchObject({ state: "ready", server: { port: 41234 } });
});
