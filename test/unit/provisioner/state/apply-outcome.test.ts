import { describe, expect, test } from "vitest";
import type { DestroyAction } from "../../../../provisioner/model/plan.ts";
import {
  accountBlocked,
  createdAs,
  createRefused,
  deleteUnanswered,
  destroyed,
  endAccountPause,
  intend,
  markForDeletion,
  offerGone,
} from "../../../../provisioner/state/apply-outcome.ts";
import { backOff } from "../../../../provisioner/state/backoff.ts";
import type { State } from "../../../../provisioner/state/schema.ts";
import { desired, HOUR, MINUTE, NOW, SECOND, servingTrack, state, waitingTrack } from "../plan/situation.ts";

const WANTED = "demo example/app:2";
const intent = {
  offerId: 1,
  hostId: 2,
  machineId: 3,
  dollarsPerHour: null,
  label: "l",
  startedAt: NOW,
  contract: null,
};
const destroy = (reason: DestroyAction["reason"], more: Partial<DestroyAction> = {}): DestroyAction => ({
  kind: "destroy",
  id: 7,
  hostId: 77001,
  machineId: 4821,
  reason,
  ...more,
});
const learned = (reason: DestroyAction["reason"], before: State = state(), more: Partial<DestroyAction> = {}) =>
  destroyed(before, destroy(reason, more), desired.revision, "why", NOW);

describe("the create budget", () => {
  test("counts a create from its intent on", () => {
    expect(intend(state({ creates: [1] }), intent)).toMatchObject({ creates: [1, NOW], intent });
  });

  test("gets back what the API certainly did not create", () => {
    expect(createRefused(intend(state({ creates: [1] }), intent))).toMatchObject({ creates: [1], intent: null });
  });

  test("gives back one create only when two began at the same instant", () => {
    expect(createRefused(intend(state({ creates: [NOW] }), intent)).creates).toEqual([NOW]);
  });

  test("gives nothing back without an intent", () => {
    expect(createRefused(state({ creates: [1] })).creates).toEqual([1]);
  });
});

describe("a created instance", () => {
  test("is kept with its id until it is listed", () => {
    expect(createdAs(intend(state(), intent), 42).intent).toEqual({ ...intent, contract: 42 });
  });

  test("ends the account trouble and the backoff that prevented creates", () => {
    const account = { trouble: "no_credit" as const, message: "", failures: 1, until: NOW };
    const backoff = { reason: "no_offer" as const, message: "", failures: 1, until: NOW, wanted: WANTED };
    expect(createdAs(state({ account, backoff, intent }), 42)).toMatchObject({ account: null, backoff: null });
  });

  test("does not end the backoff of a broken image: it has not proven itself yet", () => {
    const backoff = { reason: "image_unavailable" as const, message: "", failures: 3, until: NOW, wanted: WANTED };
    expect(createdAs(state({ backoff, intent }), 42).backoff).toEqual(backoff);
  });
});

describe("backing off", () => {
  const times = (reason: NonNullable<State["backoff"]>["reason"], count: number) => {
    let m = state();
    const waits: number[] = [];
    for (let i = 0; i < count; i += 1) {
      m = backOff(m, reason, "why", WANTED, NOW);
      waits.push(((m.backoff?.until ?? 0) - NOW) / SECOND);
    }
    return waits;
  };

  test.each([
    ["no_offer", [30, 60, 120, 240, 480, 600, 600]],
    ["offers_lost", [5, 10, 20, 40, 60, 60]],
    ["create_refused", [30, 60, 120, 240, 480, 600, 600]],
    ["create_rate_limited", [5, 10, 20, 40, 80, 120, 120]],
    ["image_unavailable", [60, 120, 240, 480, 960, 1800, 1800]],
    ["disk_too_small", [60, 120, 240, 480, 960, 1800, 1800]],
    ["app_not_listening", [600, 1200, 2400, 4800, 7200, 7200]],
  ] as const)("grows with each %s up to its ceiling", (reason, waits) => {
    expect(times(reason, waits.length)).toEqual(waits);
  });

  test("stays at the ceiling however often it fails", () => {
    expect(times("no_offer", 2000).at(-1)).toBe(600);
  });

  test("starts from the beginning for another reason and for another image", () => {
    const first = backOff(backOff(state(), "no_offer", "", WANTED, NOW), "no_offer", "", WANTED, NOW);
    expect(first.backoff?.failures).toBe(2);
    expect(backOff(first, "create_refused", "", WANTED, NOW).backoff?.failures).toBe(1);
    expect(backOff(first, "no_offer", "", "demo example/app:3", NOW).backoff?.failures).toBe(1);
  });
});

describe("account trouble", () => {
  test("pauses longer each time, up to four minutes", () => {
    let m = state();
    const waits = [1, 2, 3, 4, 5, 6, 7].map(() => {
      m = accountBlocked(m, "no_credit", "why", NOW);
      return ((m.account?.until ?? 0) - NOW) / SECOND;
    });
    expect(waits).toEqual([30, 60, 120, 240, 240, 240, 240]);
  });

  test("of another kind starts from the beginning", () => {
    const twice = accountBlocked(accountBlocked(state(), "auth", "", NOW), "auth", "", NOW);
    expect(accountBlocked(twice, "no_credit", "", NOW).account).toMatchObject({ trouble: "no_credit", failures: 1 });
  });
});

test("a pause that ends early because the account works again is longer after the next refusal", () => {
  const paused = accountBlocked(state(), "auth", "", NOW);
  const ended = endAccountPause(paused, NOW + SECOND);
  expect(ended.account).toMatchObject({ failures: 1, until: NOW + SECOND });
  expect(accountBlocked(ended, "auth", "", NOW + SECOND).account).toMatchObject({ until: NOW + MINUTE + SECOND });
  const over = endAccountPause(paused, NOW + HOUR);
  expect(over).toBe(paused);
});

describe("a destroy", () => {
  test("records a pending delete once, with the first reason", () => {
    const once = markForDeletion(state(), destroy("image_changed"), NOW);
    expect(once.pendingDeletes).toEqual([{ id: 7, reason: "image_changed", since: NOW, deleteSentAt: null }]);
    expect(markForDeletion(once, destroy("still_listed"), NOW + MINUTE)).toBe(once);
  });

  test("is recorded as sent for that id only", () => {
    const two = markForDeletion(markForDeletion(state(), destroy("duplicate"), 1), destroy("duplicate", { id: 8 }), 2);
    expect(deleteUnanswered(two, 8, NOW).pendingDeletes.map((d) => d.deleteSentAt)).toEqual([null, NOW]);
  });

  test.each([
    "start_timeout",
    "restart_timeout",
    "host_failed",
    "too_many_restarts",
    "app_not_listening",
    "unreachable",
    "instance_exited",
    "instance_offline",
  ] as const)("avoids the machine for an hour after %s", (reason) => {
    expect(learned(reason).avoided).toEqual([{ machineId: 4821, until: NOW + HOUR, served: false }]);
  });

  test.each([
    "image_changed",
    "template_changed",
    "duplicate",
    "image_unavailable",
    "disk_too_small",
    "operator",
  ] as const)("does not avoid the machine after %s", (reason) => expect(learned(reason).avoided).toEqual([]));

  test.each(["unreachable", "instance_exited", "instance_outbid"] as const)(
    "notes after %s that an instance had served on the machine",
    (reason) => {
      const served = state({ tracks: { 7: servingTrack({ serving: false }) } });
      expect(learned(reason, served).avoided).toEqual([{ machineId: 4821, until: NOW + HOUR, served: true }]);
      const never = state({ tracks: { 7: waitingTrack(MINUTE) } });
      expect(learned(reason, never).avoided).toMatchObject([{ served: false }]);
    },
  );

  test.each(["restart_timeout", "host_failed", "too_many_restarts"] as const)(
    "avoids a machine entirely after %s, although an instance had served there",
    (reason) =>
      expect(learned(reason, state({ tracks: { 7: servingTrack() } })).avoided).toMatchObject([{ served: false }]),
  );

  test("avoids nothing where the machine is not known", () => {
    expect(learned("start_timeout", state(), { machineId: null }).avoided).toEqual([]);
  });

  test("records the difference for which it was made", () => {
    const difference = { wanted: "image b", reported: "image a" };
    expect(learned("image_changed", state(), { difference })).toMatchObject({
      converging: difference,
      replacements: [{ at: NOW, revision: WANTED }],
    });
  });

  test.each(["image_unavailable", "disk_too_small"] as const)("backs off after %s", (reason) => {
    expect(learned(reason).backoff).toMatchObject({ reason, message: "why", wanted: WANTED });
  });

  test.each(["image_unavailable", "disk_too_small", "app_not_listening"] as const)(
    "goes on counting %s where a search without offers came in between",
    (reason) => {
      let m = learned(reason, learned(reason));
      const second = m.backoff?.failures ?? 0;
      m = backOff(m, "no_offer", "none", WANTED, NOW);
      expect(learned(reason, m).backoff).toMatchObject({ reason, failures: second + 1 });
    },
  );

  test("counts broken images from 1 for another image", () => {
    const other = state({ brokenImages: { wanted: "demo example/app:1", count: 5 } });
    expect(learned("image_unavailable", other).backoff?.failures).toBe(1);
  });

  test("lets one more machine be tried for an app that never listened, and backs off after the second", () => {
    const first = learned("app_not_listening");
    expect(first).toMatchObject({ backoff: null, notListening: { wanted: WANTED, count: 1 } });
    expect(learned("app_not_listening", first)).toMatchObject({
      backoff: { reason: "app_not_listening", failures: 1 },
      notListening: { count: 2 },
    });
  });

  test("counts silent apps from 1 for another image", () => {
    const other = state({ notListening: { wanted: "demo example/app:1", count: 5 } });
    expect(learned("app_not_listening", other)).toMatchObject({
      backoff: null,
      notListening: { wanted: WANTED, count: 1 },
    });
  });

  test("records the host that was unreachable", () => {
    expect(learned("unreachable").unreachableHost).toBe(77001);
  });

  test("of an instance that never appeared clears the intent and avoids its machine", () => {
    const before = state({ intent: { ...intent, contract: 7 }, creates: [NOW] });
    const next = learned("create_never_appeared", before, { machineId: null });
    expect(next).toMatchObject({ intent: null, creates: [NOW], avoided: [{ machineId: 3 }] });
  });
});

test("an offer that was found taken is passed over for five minutes", () => {
  expect(offerGone(state(), 5, NOW).goneOffers).toEqual([{ id: 5, until: NOW + 5 * MINUTE }]);
});
