import { describe, expect, test } from "vitest";
import type { Observation } from "../../../../provisioner/model/observation.ts";
import { applyObservation } from "../../../../provisioner/state/apply-observation.ts";
import { destroyed } from "../../../../provisioner/state/apply-outcome.ts";
import {
  afterCreate,
  bidFailed,
  bidGivenUp,
  bidNow,
  bidRaised,
  bidRefused,
} from "../../../../provisioner/state/bids.ts";
import type { State } from "../../../../provisioner/state/schema.ts";
import { desired, HOUR, NOW, observation, row, servingTrack, state, tracks, waitingTrack } from "../plan/situation.ts";

const ID = 7835610;
const applyTo = (before: State, seen: Observation) => applyObservation(before, seen, desired, 10_000, NOW);
const bid = { factor: 1.2 };
const failures = (count: number) => ({ bidFailures: Array.from({ length: count }, () => NOW - 1) });
const raised = { instanceId: ID, dollarsPerHour: 0.3, at: NOW - 1, times: 1, refused: null, cheaper: null };

describe("the next instance", () => {
  test("is bid for until three bids have failed within an hour, then rented on demand", () => {
    const bidding = { bid, fallsBack: true };
    expect(bidNow(failures(2), bidding)).toEqual(bid);
    expect(bidNow(failures(3), bidding)).toBeNull();
    expect(bidNow(failures(9), { bid, fallsBack: false })).toEqual(bid);
    expect(bidNow(failures(0), null)).toBeNull();
  });
});

describe("a bid has failed", () => {
  const failuresAfter = (bidOrNot: typeof bid | undefined, outcome: string, after = state()) =>
    afterCreate(state(), after, bidOrNot, outcome, NOW).bidFailures.length;

  test.each(["no_offer", "offers_lost", "create_refused", "create_failed"])("when it rents nothing: %s", (outcome) => {
    expect(failuresAfter(bid, outcome)).toBe(1);
    expect(failuresAfter(undefined, outcome)).toBe(0);
  });

  test.each(["created", "create_unresolved", "create_rate_limited", "account_auth"])(
    "but not when a higher price would have changed nothing: %s",
    (outcome) => expect(failuresAfter(bid, outcome)).toBe(0),
  );

  test("when its offer was gone, which may have been a higher bid, and nothing was made from another one", () => {
    const lost = state({ goneOffers: [{ id: 5, until: NOW + 1 }] });
    expect(failuresAfter(bid, "create_rate_limited", lost)).toBe(1);
    expect(failuresAfter(bid, "created", lost)).toBe(0);
    expect(failuresAfter(undefined, "create_rate_limited", lost)).toBe(0);
  });

  test("when its instance is destroyed because it was outbid, and for no other reason", () => {
    const action = { kind: "destroy", id: ID, hostId: 1, machineId: 2 } as const;
    const failuresOf = (reason: "instance_outbid" | "instance_exited") =>
      destroyed(state(), { ...action, reason }, "r", "m", NOW).bidFailures;
    expect(failuresOf("instance_outbid")).toEqual([NOW]);
    expect(failuresOf("instance_exited")).toEqual([]);
  });

  test("but not when it could have been raised, and another instance was cheaper", () => {
    const action = { kind: "destroy", id: ID, hostId: 1, machineId: 2, reason: "instance_outbid" } as const;
    const givenUp = bidGivenUp(state(), { kind: "raise_bid", id: ID, dollarsPerHour: 0.4 }, 0.2, NOW);
    expect(givenUp.raisedBid).toMatchObject({ dollarsPerHour: 0.4, cheaper: 0.2 });
    expect(destroyed(givenUp, action, "r", "m", NOW).bidFailures).toEqual([]);
    expect(destroyed(givenUp, { ...action, id: 1 }, "r", "m", NOW).bidFailures).toEqual([NOW]);
  });

  test("for an hour", () => {
    const old: State = { ...state(), bidFailures: [NOW - HOUR, NOW - HOUR + 1] };
    expect(bidFailed(old, NOW).bidFailures).toEqual([NOW - HOUR + 1, NOW]);
    expect(applyTo(old, observation([])).bidFailures).toEqual([NOW - HOUR + 1]);
  });
});

describe("a raised bid", () => {
  const given = (over: Partial<State> = {}) =>
    state({ raisedBid: raised, tracks: tracks(ID, waitingTrack(1)), ...over });

  test("is counted for its instance", () => {
    const action = { kind: "raise_bid", id: ID, dollarsPerHour: 0.4 } as const;
    expect(bidRaised(given(), action, NOW).raisedBid).toEqual({ ...raised, dollarsPerHour: 0.4, at: NOW, times: 2 });
    expect(bidRaised(given(), { ...action, id: 1 }, NOW).raisedBid).toMatchObject({ instanceId: 1, times: 1 });
    expect(bidRefused(given(), "no").raisedBid).toEqual({ ...raised, refused: "no" });
  });

  test("is over when its instance serves or is gone, and not before", () => {
    expect(applyTo(given(), observation([row({ isBid: true, curState: "stopped" })])).raisedBid).toEqual(raised);
    const serving = given({ tracks: tracks(ID, servingTrack()) });
    expect(applyTo(serving, observation([row({ isBid: true })])).raisedBid).toBeNull();
    expect(applyTo(given(), observation([])).raisedBid).toBeNull();
  });
});
