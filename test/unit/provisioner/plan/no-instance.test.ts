import { describe, expect, test } from "vitest";
import type { State } from "../../../../provisioner/state/schema.ts";
import {
  createAction,
  HOUR,
  MINUTE,
  NOW,
  observation,
  planned,
  row,
  SECOND,
  servingTrack,
  state,
  unknown,
} from "./situation.ts";

const none = (over: Partial<State> = {}, more: object = {}) => planned({ state: state(over), ...more });
const intent = (ms: number, contract: number | null = null) => ({
  intent: { offerId: 1, hostId: 2, machineId: 3, dollarsPerHour: null, label: "l", startedAt: NOW - ms, contract },
});

describe("no instance, and an unresolved create", () => {
  test("creates nothing while the outcome of a create is unknown", () => {
    expect(none(intent(120 * SECOND - 1))).toMatchObject({
      reason: "create_unresolved",
      state: "provisioning",
      actions: [],
    });
  });

  test("forgets the create when nothing carries the label by its deadline", () => {
    expect(none(intent(120 * SECOND)).actions).toEqual([{ kind: "forget_intent" }]);
  });

  test("waits for a created instance that is not listed yet", () => {
    const plan = none(intent(MINUTE, 42));
    expect(plan).toMatchObject({ reason: "create_unresolved", actions: [] });
    expect(plan.message).toContain("42");
  });

  test("destroys by its id a created instance that was never listed within 120 s", () => {
    expect(none(intent(120 * SECOND, 42))).toMatchObject({
      reason: "create_never_appeared",
      actions: [{ kind: "destroy", id: 42, reason: "create_never_appeared" }],
    });
  });
});

describe("a created contract that is not listed although another row of the label is", () => {
  const beside = (ms: number) =>
    planned({ seen: observation([row()]), state: state({ ...intent(ms, 42), tracks: { 7835610: servingTrack() } }) });

  test("is destroyed by its id after 120 s, and the other keeps serving", () => {
    expect(beside(120 * SECOND)).toMatchObject({
      reason: "instance_ready",
      actions: [{ kind: "destroy", id: 42, reason: "create_never_appeared" }],
    });
  });

  test("is waited for before that", () => {
    expect(beside(120 * SECOND - 1).actions).toEqual([]);
  });
});

describe("no instance", () => {
  test("waits for a second empty list before the first create without a state file", () => {
    expect(none({ confirmedNone: false, firstNoneAt: NOW })).toMatchObject({ reason: "confirming_none", actions: [] });
  });

  test("creates nothing when the create budget is spent, and says when it refills", () => {
    const creates = [10, 20, 30, 40, 50, 55].map((minutes) => NOW - minutes * MINUTE);
    const plan = none({ creates });
    expect(plan).toMatchObject({ reason: "create_budget", state: "blocked", actions: [] });
    expect(plan.message).toContain(new Date(NOW + 6 * MINUTE).toISOString());
    expect(plan.message).toContain("VAST_MAX_CREATES_PER_HOUR is 6");
  });

  test("creates while budget is left", () => {
    expect(none({ creates: [NOW, NOW, NOW, NOW, NOW] }).actions).toEqual([createAction]);
  });

  const backoff = (until: number, wanted = "demo example/app:2") => ({
    backoff: { reason: "image_unavailable" as const, message: "the image is gone", failures: 3, until, wanted },
  });

  test("creates nothing while backing off, and says why", () => {
    expect(none(backoff(NOW + MINUTE))).toMatchObject({
      reason: "image_unavailable",
      state: "blocked",
      message: "the image is gone",
      actions: [],
    });
  });

  test.each(["create_rate_limited", "offers_lost"] as const)(
    "calls it provisioning, not blocked, where it passes by itself: %s",
    (reason) => {
      const passing = { ...backoff(NOW + MINUTE).backoff, reason };
      expect(none({ backoff: passing })).toMatchObject({ reason, state: "provisioning", actions: [] });
    },
  );

  test.each(["image_unavailable", "disk_too_small", "app_not_listening", "no_offer", "create_refused"] as const)(
    "is blocked by name while it backs off: %s",
    (reason) => {
      const waiting = { ...backoff(NOW + MINUTE).backoff, reason };
      expect(none({ backoff: waiting })).toMatchObject({ reason, state: "blocked", message: "the image is gone" });
    },
  );

  test("creates when the backoff is over", () => {
    expect(none(backoff(NOW)).actions).toEqual([createAction]);
  });

  test("creates at once when another image is wanted than the one that failed", () => {
    expect(none(backoff(NOW + MINUTE, "demo example/app:1")).actions).toEqual([createAction]);
  });

  test("waits for the bans for a limited time, then creates without them and says so in the message", () => {
    const seen = observation([], { bans: unknown("Redis: ETIMEDOUT") });
    const waiting = none({ bansUnknownSince: NOW - 30 * SECOND + 1 }, { seen });
    expect(waiting).toMatchObject({ reason: "bans_unknown", actions: [] });
    const unfiltered = none({ bansUnknownSince: NOW - 30 * SECOND }, { seen });
    expect(unfiltered.actions).toEqual([createAction]);
    expect(unfiltered.message).toContain("bans are unknown");
  });

  test("creates when there is none", () => {
    expect(none()).toMatchObject({ reason: "no_instance", state: "provisioning", actions: [createAction] });
  });

  test("plans the next pass of a blocked pod soon, and never in the past", () => {
    const creates = [1, 2, 3, 4, 5, 6].map((ms) => NOW - HOUR - MINUTE + ms);
    expect(none({ creates }).nextCheckAt).toBe(NOW + 1);
    expect(none(backoff(NOW + HOUR)).nextCheckAt).toBe(NOW + 15 * SECOND);
  });
});
