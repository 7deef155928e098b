// An interruptible instance that was outbid: when its bid is raised, and when it is replaced.
import { describe, expect, test } from "vitest";
import { known, type Seen } from "../../../../provisioner/model/observation.ts";
import type { RaiseBidAction } from "../../../../provisioner/model/plan.ts";
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
  SECOND,
  type SituationChanges,
  silentTrack,
  state,
  tracks,
  unknown,
  waitingTrack,
} from "./situation.ts";

const ID = 7835610;
const limits = { bidding: { bid: { factor: 1.2 }, fallsBack: true }, maxDollarsPerHour: 0.5 };
const stopped = { intendedStatus: "stopped", curState: "stopped", nextState: "stopped", actualStatus: "exited" };
const OUTBID = { isBid: true, ...stopped, gpuDollarsPerHour: 0.2, diskDollarsPerHour: 0.02, minBid: 0.25 };
const raised = { instanceId: ID, dollarsPerHour: 0.3, at: NOW - 10 * SECOND, times: 1, refused: null, cheaper: null };

const lostFor = (ms: number, reads: number, over: Partial<Track> = {}) =>
  silentTrack(ms, { endpoint: null, lost: { since: NOW - ms, reads, readAt: NOW }, ...over });

function plannedFor(
  over: Partial<Instance> = {},
  more: Omit<SituationChanges, "state"> & { track?: Track; state?: Partial<State> } = {},
) {
  const known = more.track ?? lostFor(SECOND, 1);
  const seen = observation([row({ ...OUTBID, ...over })]);
  return planned({ limits, seen, ...more, state: state({ tracks: tracks(ID, known), ...more.state }) });
}

test("its bid is raised as soon as one list shows that, under the ceiling", () => {
  const plan = plannedFor();
  expect(plan).toMatchObject({ reason: "raising_bid", state: "unavailable", server: null });
  expect(plan.actions).toContainEqual(expect.objectContaining({ kind: "raise_bid", id: ID, dollarsPerHour: 0.3 }));
  expect(plan.message).toBe(
    "instance 7835610 (RTX 4090, $0.316/h) is outbid (the smallest bid is $0.2500/h): its bid is raised from $0.2000/h to $0.3000/h, unless another costs less than $0.2469/h",
  );
});

test.each([
  ["the contract alone is stopped", { intendedStatus: "running", curState: "stopped", nextState: "running" }],
  ["its container's status is stopped", { ...OUTBID, actualStatus: "stopped" }],
  ["it is to be stopped", { intendedStatus: "running", curState: "running", nextState: "stopped" }],
])("so it is where %s", (_, over) => {
  expect(plannedFor(over).reason).toBe("raising_bid");
});

test("a bid that was accepted and starts stopped is raised too, and its host is not banned", () => {
  const starts = { track: waitingTrack(MINUTE, { lost: { since: NOW - MINUTE, reads: 9, readAt: NOW } }) };
  expect(plannedFor({ actualStatus: null }, starts)).toMatchObject({ reason: "raising_bid", state: "provisioning" });
  const tooDear = plannedFor({ actualStatus: null, minBid: 2 }, starts);
  expect(tooDear.actions.map(({ kind }) => kind)).not.toContain("ban");
  expect(tooDear.actions).toContainEqual(expect.objectContaining({ kind: "destroy", reason: "instance_outbid" }));
});

describe("another instance is rented instead", () => {
  const raiseOf = (more: Parameters<typeof plannedFor>[1] = {}, over: Partial<Instance> = {}) =>
    plannedFor(over, more).actions.find((one): one is RaiseBidAction => one.kind === "raise_bid");

  test("where it saves a tenth of the raised price, disk included, and its start within an hour", () => {
    const create = { ...createAction, bid: limits.bidding.bid, maxDollarsPerHour: 0.5 };
    const below = expect.closeTo((0.32 * 0.9) / (1 + 10 / 60));
    expect(raiseOf()?.unless).toEqual({ create, machineId: 4821, belowDollarsPerHour: below });
  });

  test("by the latest starts of the image: a quick one is worth less of a difference", () => {
    const boots = [{ image: "example/app:2", bootMs: 60 * SECOND, appMs: 30 * SECOND }];
    expect(raiseOf({ state: { boots } })?.unless?.belowDollarsPerHour).toBeCloseTo((0.32 * 0.9) / 1.05);
  });

  test("on demand, by its price, when three bids have failed", () => {
    const unless = raiseOf({ state: { bidFailures: [NOW - 3, NOW - 2, NOW - 1] } })?.unless;
    expect(unless?.create).toMatchObject({ fallback: true });
    expect(unless?.create.bid).toBeUndefined();
  });

  test.each<[string, Partial<State>]>([
    ["only one create is left", { creates: Array.from({ length: 5 }, () => NOW - MINUTE) }],
    ["the API has refused an end", { refusedEnd: { rehearsedAt: null, inSpite: 0 } }],
    ["creates wait", { backoff: { reason: "no_offer", message: "", failures: 1, until: NOW + 1, wanted: "demo" } }],
    ["a destroy is under way", { pendingDeletes: [{ id: 5, reason: "duplicate", since: NOW, deleteSentAt: NOW }] }],
  ])("but the bid is raised whatever others cost where %s", (_, memory) => {
    const raise = raiseOf({ state: memory });
    expect(raise).toMatchObject({ dollarsPerHour: 0.3 });
    expect(raise?.unless).toBeUndefined();
  });

  test("nor where the bans are unknown, or VAST_POLICY=no-destroy forbids the replacement", () => {
    const seen = observation([row(OUTBID)], { bans: unknown("away") });
    expect(raiseOf({ seen })).toEqual({ kind: "raise_bid", id: ID, dollarsPerHour: 0.3 });
    const decision = decided({
      limits,
      seen: observation([row(OUTBID)]),
      state: state({ tracks: tracks(ID, lostFor(SECOND, 1)) }),
    });
    const { decision: kept, suppressed } = applyPolicy(decision, "no-destroy");
    expect(kept.actions).toContainEqual({ kind: "raise_bid", id: ID, dollarsPerHour: 0.3 });
    expect(suppressed).toEqual([]);
  });

  test("and when one was found, this one is destroyed after two lists and 10 s, and its bid is raised no more", () => {
    const found = { raisedBid: { ...raised, cheaper: 0.2 } };
    expect(plannedFor({}, { track: lostFor(9 * SECOND, 2), state: found })).toMatchObject({ reason: "instance_lost" });
    const ended = plannedFor({ minBid: 0.35 }, { track: lostFor(10 * SECOND, 2), state: found });
    expect(ended).toMatchObject({ reason: "instance_outbid", actions: [{ kind: "destroy", id: ID }] });
  });
});

describe("after the raise", () => {
  const afterMs = (ms: number, over: Partial<Instance> = {}, more: Partial<NonNullable<State["raisedBid"]>> = {}) =>
    plannedFor(over, { track: lostFor(ms + SECOND, 9), state: { raisedBid: { ...raised, at: NOW - ms, ...more } } });

  test("the contract has 60 s to run again", () => {
    const waits = afterMs(MINUTE - 1);
    expect(waits).toMatchObject({ reason: "raising_bid", state: "unavailable", actions: [] });
    expect(waits.message).toContain("its bid is raised to $0.3000/h; it has 60 s to run again");
    expect(afterMs(MINUTE)).toMatchObject({ reason: "instance_outbid", actions: [{ kind: "destroy", id: ID }] });
  });

  test("it is raised again at once where the smallest bid is above it by then, three times in all", () => {
    expect(afterMs(5 * SECOND, { minBid: 0.35 }).actions).toContainEqual(
      expect.objectContaining({ kind: "raise_bid", dollarsPerHour: 0.42 }),
    );
    expect(afterMs(15 * SECOND, { minBid: 0.35 }, { times: 3 })).toMatchObject({ reason: "instance_outbid" });
  });

  test("a raise that the API refuses is followed by a replacement", () => {
    expect(afterMs(15 * SECOND, {}, { refused: "no" })).toMatchObject({ reason: "instance_outbid" });
  });

  test("the raise of another instance says nothing", () => {
    expect(afterMs(MINUTE, {}, { instanceId: 1 })).toMatchObject({ reason: "raising_bid" });
  });
});

describe("it is replaced, after two lists and 10 s,", () => {
  const replaced = (over: Partial<Instance>, more: Parameters<typeof plannedFor>[1] = {}) => {
    const early = plannedFor(over, { ...more, track: lostFor(10 * SECOND - 1, 9) });
    expect(early).toMatchObject({ reason: "instance_lost", actions: [] });
    expect(plannedFor(over, { ...more, track: lostFor(10 * SECOND, 1) }).actions).toEqual([]);
    return plannedFor(over, { ...more, track: lostFor(10 * SECOND, 2) });
  };

  test("where a bid that wins is above the ceiling", () => {
    expect(replaced({ minBid: 0.49 })).toMatchObject({ reason: "instance_outbid", actions: [{ kind: "destroy" }] });
  });

  test("where instances are rented on demand by now", () => {
    expect(replaced({}, { limits: { bidding: null } })).toMatchObject({ reason: "instance_outbid" });
  });

  test("where its contract has ended", () => {
    expect(replaced({ endsAt: NOW })).toMatchObject({ reason: "instance_outbid" });
  });
});

test("no bid is raised while the account has no credit, or nobody knows: that stops every instance", () => {
  const withCredit = (credit: Seen<number | null>) =>
    plannedFor({}, { seen: { ...observation([row(OUTBID)]), credit } });
  expect(withCredit(known(0))).toMatchObject({ reason: "account_no_credit", actions: [] });
  expect(withCredit(unknown())).toMatchObject({ reason: "instance_lost", actions: [] });
  for (const dollars of [0.01, null]) expect(withCredit(known(dollars)).reason).toBe("raising_bid");
});

test("an instance on demand that is stopped is none that was outbid", () => {
  expect(plannedFor({ isBid: false }).reason).toBe("instance_lost");
});
