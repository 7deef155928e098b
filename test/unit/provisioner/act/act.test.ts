import { describe, expect, test } from "vitest";
import { createActor } from "../../../../provisioner/act/act.ts";
import { noPodTurns } from "../../../../provisioner/fleet/pod-turns.ts";
import type { Action } from "../../../../provisioner/model/plan.ts";
import type { Pauses } from "../../../../provisioner/observe/pauses.ts";
import type { State } from "../../../../provisioner/state/schema.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import {
  type ClientScript,
  fakeBans,
  fakeClient,
  fakeDisk,
  fakeLog,
  type Journal,
  never,
  noPauses,
  ownMarket,
  ownReadings,
  vastError,
} from "../fakes.ts";
import {
  bidOffer,
  createAction,
  desired,
  MINUTE,
  NOW,
  observation,
  offer,
  planned,
  query,
  servingTrack,
  state,
} from "../plan/situation.ts";

const ID = 7835610;

/** Carries out one action. */
async function act(
  action: Action,
  setup: ClientScript & {
    state?: Partial<State>;
    redisAway?: boolean;
    full?: boolean;
    mayMutate?: boolean;
    pauses?: Pauses;
  } = {},
) {
  const journal: Journal = [];
  const disk = fakeDisk(journal);
  disk.full = setup.full ?? false;
  const { log, lines } = fakeLog();
  const client = fakeClient(journal, setup);
  const clock = fakeClock(NOW);
  const freed: (number | null)[] = [];
  let placesLeft = 0;
  const leaveCreates = async () => {
    placesLeft += 1;
  };
  const perform = createActor({
    client,
    recordsOf: async () => ({}),
    market: { ...ownMarket(client, clock), freed: async (machineId) => void freed.push(machineId) },
    turns: { ...noPodTurns, leaveCreates },
    readings: ownReadings(client, clock),
    bans: fakeBans(journal, setup.redisAway),
    clock,
    log,
    desired,
    query: query(),
    imageLogin: () => null,
    save: disk.save,
    mayMutate: async () => setup.mayMutate ?? true,
    pauses: setup.pauses ?? noPauses,
    nextCreateSlot: (notBefore) => notBefore,
  });
  const before = state(setup.state);
  const again = async () => (await perform(action, planned({}), observation(), before, never)).state;
  const result = await again().catch((error: unknown) => error);
  return { result, journal, disk, lines, before, again, freed, placesLeft };
}
const destroy: Action = { kind: "destroy", id: ID, hostId: 77001, machineId: 4821, reason: "start_timeout" };
const fails = (error: Error) => () => {
  throw error;
};

describe("a create", () => {
  test.each<[string, ClientScript, number]>([
    ["finds an offer", { offers: () => [offer()] }, 0],
    ["loses its offer", { offers: () => [offer()], create: fails(vastError("offer_gone")) }, 0],
    ["finds none", { offers: () => [] }, 1],
    ["is refused", { offers: () => [offer()], create: fails(vastError("invalid")) }, 1],
  ])("that %s keeps or leaves its place among the pods that create", async (_, script, left) => {
    expect((await act(createAction, script)).placesLeft).toBe(left);
  });
});

test("a bid that fails while its pod waits leaves the place of its create, and one that may win keeps it", async () => {
  const foresee: Action = {
    kind: "foresee_bid",
    create: { ...createAction, bid: { factor: 1 }, maxDollarsPerHour: 9 },
  };
  expect((await act(foresee, { offers: () => [] })).placesLeft).toBe(1);
  expect((await act(foresee, { offers: () => [bidOffer(1, 0.1)] })).placesLeft).toBe(0);
});

describe("a destroy", () => {
  test("is not sent when another provisioner holds the lease, and leaves no pending delete", async () => {
    const { journal, disk, result, before } = await act(destroy, { mayMutate: false });
    expect(journal).toEqual(["save", "save"]);
    expect(disk.saved.at(-1)).toEqual(before);
    expect(result).toEqual(before);
  });

  test("that was not sent because its time was over leaves no pending delete", async () => {
    const { journal, disk, result, before, lines } = await act(destroy, { destroy: fails(vastError("not_sent")) });
    expect(journal).toEqual(["save", `destroy ${ID}`, "save"]);
    expect(disk.saved.at(-1)).toEqual(before);
    expect(result).toEqual(before);
    expect(lines.at(-1)?.msg).toContain("was not sent; the next pass decides again");
  });

  test("puts the pending delete on disk before the DELETE", async () => {
    const { journal, disk, result } = await act(destroy);
    expect(journal).toEqual(["save", `destroy ${ID}`, "save"]);
    expect(disk.saved[0]?.pendingDeletes).toEqual([
      { id: ID, reason: "start_timeout", since: NOW, deleteSentAt: null },
    ]);
    expect(result).toMatchObject({ pendingDeletes: [{ id: ID, deleteSentAt: NOW }], avoided: [{ machineId: 4821 }] });
  });

  test("that was sent frees its machine for the other pods, and no other does", async () => {
    expect((await act(destroy)).freed).toEqual([4821]);
    const lost = await act(destroy, { destroy: fails(vastError("unavailable", { status: null, slug: "timeout" })) });
    expect(lost.freed).toEqual([4821]);
    expect((await act(destroy, { mayMutate: false })).freed).toEqual([]);
    expect((await act(destroy, { destroy: fails(vastError("rate_limited", { status: 429 })) })).freed).toEqual([]);
  });

  test("is not sent when the id cannot be put on disk", async () => {
    const { journal, result } = await act(destroy, { full: true });
    expect(result).toMatchObject({ code: "ENOSPC" });
    expect(journal).toEqual([]);
  });

  test.each([
    ["a 404", vastError("not_found", { status: 404 })],
    ["a timeout", vastError("unavailable", { status: null, slug: "timeout" })],
    ["a gateway error", vastError("unavailable", { status: 502 })],
    ["an unreadable success", vastError("malformed", { status: 200 })],
  ])(
    "leaves the delete pending until a list lacks the instance, and sends it again after a while: %s",
    async (_, error) => {
      const { result } = await act(destroy, { destroy: fails(error) });
      expect(result).toMatchObject({ pendingDeletes: [{ id: ID, deleteSentAt: NOW }], account: null });
    },
  );

  test("counts how many of its DELETEs got no clear answer", async () => {
    const lost = { destroy: fails(vastError("unavailable", { status: null, slug: "timeout" })) };
    const once = (await act(destroy, lost)).result as State;
    expect(once.pendingDeletes).toMatchObject([{ unanswered: 1 }]);
    expect((await act(destroy, { ...lost, state: once })).result).toMatchObject({
      pendingDeletes: [{ unanswered: 2 }],
    });
  });

  test("that stays pending and that the API refuses is not sent again in each pass", async () => {
    const pending = { id: ID, reason: "operator", since: NOW - MINUTE, deleteSentAt: NOW - MINUTE };
    const again: Action = { ...destroy, reason: "still_listed" };
    const setup = { state: { pendingDeletes: [pending] }, destroy: fails(vastError("invalid")) };
    const refused = { at: NOW, times: 1 };
    expect((await act(again, setup)).result).toMatchObject({ pendingDeletes: [{ ...pending, refused }] });
  });

  test("is confirmed when the API answers that the contract is destroyed or does not exist", async () => {
    expect((await act(destroy)).result).toMatchObject({ pendingDeletes: [{ id: ID, deleteConfirmed: true }] });
    const gone = await act(destroy, { destroy: fails(vastError("not_found", { status: 404 })) });
    expect(gone.result).toMatchObject({ pendingDeletes: [{ id: ID, deleteConfirmed: true }] });
    const silent = await act(destroy, { destroy: fails(vastError("unavailable", { status: null, slug: "timeout" })) });
    expect(silent.result).not.toMatchObject({ pendingDeletes: [{ deleteConfirmed: true }] });
  });

  test.each([
    ["it was too frequent", vastError("rate_limited", { status: 429 })],
    ["it never reached the API", vastError("unavailable", { status: null, reached: false })],
  ])("is not pending when it was not processed, and the next pass decides anew: %s", async (_, error) => {
    const { result, before } = await act(destroy, { destroy: fails(error) });
    expect(result).toEqual(before);
  });

  test.each([
    ["the request as such", vastError("invalid")],
    ["it with a status of 200", vastError("invalid", { status: 200 })],
  ])("is not pending when the API refuses %s, and the next attempt waits a minute", async (_, error) => {
    const { result } = await act(destroy, { destroy: fails(error) });
    const held = { instanceId: ID, wanted: "start_timeout", reason: "destroy_refused", until: NOW + 60_000 };
    expect(result).toMatchObject({ pendingDeletes: [], avoided: [], heldReplacement: held });
  });

  test("pauses the account when it may not destroy, and is not pending: the instance may answer again", async () => {
    const { result } = await act(destroy, { destroy: fails(vastError("auth", { status: 403 })) });
    expect(result).toMatchObject({ pendingDeletes: [], avoided: [], account: { trouble: "auth" } });
  });

  test("is not pending any more when the account's trouble refuses a later attempt: it serves again if it answers", async () => {
    const pending = { id: ID, reason: "image_changed", since: NOW - 2 * MINUTE, deleteSentAt: NOW - MINUTE };
    const again: Action = { ...destroy, reason: "still_listed" };
    const setup = { state: { pendingDeletes: [pending] }, destroy: fails(vastError("auth", { status: 403 })) };
    expect((await act(again, setup)).result).toMatchObject({ pendingDeletes: [], account: { trouble: "auth" } });
    const busy = await act(again, { ...setup, destroy: fails(vastError("rate_limited", { status: 429 })) });
    expect(busy.result).toMatchObject({ pendingDeletes: [pending], account: null });
  });

  test("for a difference is held a minute where nothing served, however often it was refused", async () => {
    const difference = { wanted: "image example/app:2", reported: "image example/app:1" };
    const replace: Action = { ...destroy, reason: "image_changed", difference };
    const earlier = { instanceId: ID, wanted: difference.wanted, reason: "destroy_refused", message: "m" } as const;
    const { result } = await act(replace, {
      state: { heldReplacement: { ...earlier, failures: 5, until: NOW } },
      destroy: fails(vastError("auth", { status: 403 })),
    });
    expect(result).toMatchObject({ pendingDeletes: [], account: null, heldReplacement: { until: NOW + 60_000 } });
  });

  describe("of a serving instance that differs", () => {
    const difference = { wanted: "image example/app:2", reported: "image example/app:1" };
    const replace: Action = { ...destroy, reason: "image_changed", difference };
    const served = { tracks: { [ID]: servingTrack() } };

    test.each([
      ["the key has no right to destroy", vastError("auth", { status: 403 }), /right instance_write/],
      ["the account needs a second factor", vastError("two_factor", { status: 403 }), /two-factor/],
      ["the API refuses the request", vastError("invalid"), /console of Vast\.ai/],
      ["it was too frequent", vastError("rate_limited", { status: 429 }), /too often/],
      ["it never reached the API", vastError("unavailable", { status: null, reached: false }), /cannot be reached/],
    ])("is undone when it took no effect: %s", async (_, error, message) => {
      const { result, disk, before } = await act(replace, { state: served, destroy: fails(error) });
      const { heldReplacement, ...rest } = result as State;
      expect({ ...rest, heldReplacement: null, refusedEnd: null }).toEqual(before);
      expect(heldReplacement).toMatchObject({ instanceId: ID, reason: "destroy_refused", until: NOW + 60_000 });
      expect(heldReplacement?.message).toMatch(message);
      expect(disk.saved.at(-1)).toEqual(result);
    });

    test.each([
      ["a timeout", vastError("unavailable", { status: null, slug: "timeout" })],
      ["a gateway error", vastError("unavailable", { status: 502 })],
      ["a 404", vastError("not_found", { status: 404 })],
    ])("stays pending when it may have taken effect: %s", async (_, error) => {
      const { result } = await act(replace, { state: served, destroy: fails(error) });
      expect(result).toMatchObject({ pendingDeletes: [{ id: ID, deleteSentAt: NOW }], heldReplacement: null });
    });

    test("is sent again when it came too soon after another one", async () => {
      let calls = 0;
      const once = () => {
        calls += 1;
        if (calls === 1) throw vastError("rate_limited", { status: 429 });
      };
      const { result, journal } = await act(replace, { state: served, destroy: once });
      expect(journal).toEqual(["save", `destroy ${ID}`, `destroy ${ID}`, "save"]);
      expect(result).toMatchObject({ pendingDeletes: [{ id: ID, deleteConfirmed: true }], heldReplacement: null });
    });
  });

  test("of an id whose delete is already pending is sent again under its first reason", async () => {
    const pendingDeletes = [{ id: ID, reason: "image_changed", since: 5, deleteSentAt: 6 }];
    const { result } = await act({ ...destroy, reason: "still_listed" }, { state: { pendingDeletes } });
    expect(result).toMatchObject({
      pendingDeletes: [{ id: ID, reason: "image_changed", since: 5, deleteSentAt: NOW }],
      avoided: [],
    });
  });
});

describe("what goes to the ban store", () => {
  const ban: Action = { kind: "ban", target: { kind: "host", id: 77001 }, instanceId: ID, reason: "start_timeout" };

  test("is the ban of a host", async () => {
    const { journal, result, before, lines } = await act(ban);
    expect(journal).toEqual(["ban host 77001 start_timeout"]);
    expect(result).toBe(before);
    expect(lines).toMatchObject([{ action: "ban", hostId: 77001, reason: "start_timeout" }]);
  });

  test("is not possible when the API reports no id, which is logged once", async () => {
    const { journal, lines, again } = await act({ ...ban, target: null });
    await again();
    expect(journal).toEqual([]);
    expect(lines).toMatchObject([{ level: "warn", action: "ban", instance: ID, reason: "start_timeout" }]);
    expect(lines[0]?.msg).toContain("cannot ban");
  });

  const unwritten = { kind: "host" as const, id: 77001, reason: "start_timeout", instanceId: ID };

  test("is kept in the state while the store does not answer, and stops nothing else", async () => {
    const { result, lines } = await act(ban, { redisAway: true });
    expect(result).toMatchObject({ unwrittenBans: [unwritten] });
    const warnings = lines.filter((line) => line.level !== "debug");
    expect(warnings).toMatchObject([{ level: "warn", action: "ban", hostId: 77001 }]);
    expect(warnings[0]?.msg).toContain("will be written to Redis");
  });

  test("is logged once while the store does not answer, not in every pass", async () => {
    const { result, before, lines } = await act(ban, { state: { unwrittenBans: [unwritten] }, redisAway: true });
    expect(result).toBe(before);
    expect(lines.filter((line) => line.level !== "debug")).toEqual([]);
  });

  test("is written late, and then owed no more", async () => {
    const other = { ...unwritten, kind: "machine" as const };
    const { journal, result } = await act(ban, { state: { unwrittenBans: [unwritten, other] } });
    expect(journal).toEqual(["ban host 77001 start_timeout"]);
    expect(result).toMatchObject({ unwrittenBans: [other] });
  });

  test("is when waiting began and that it is over", async () => {
    const began = await act({ kind: "start_waiting", instanceId: ID, since: 5 });
    expect(began.journal).toEqual([`start_waiting ${ID} 5`]);
    const later = await act({ kind: "postpone_waiting", instanceId: ID, since: 7 });
    expect(later.journal).toEqual([`postpone_waiting ${ID} 7`]);
    expect((await act({ kind: "stop_waiting", instanceId: ID })).journal).toEqual([`stop_waiting ${ID}`]);
  });

  const count: Action = { kind: "count_restart", instanceId: ID, times: 1 };
  const uncounted = { tracks: { [ID]: servingTrack({ uncountedRestarts: 2 }) } };

  test("is a restart, which then counts as written", async () => {
    const { journal, result } = await act(count, { state: uncounted });
    expect(journal).toEqual([`count_restart ${ID} 1`]);
    expect(result).toMatchObject({ tracks: { [ID]: { uncountedRestarts: 1 } } });
  });

  test("is a restart that is kept while the store is away", async () => {
    const { result } = await act(count, { state: uncounted, redisAway: true });
    expect(result).toMatchObject({ tracks: { [ID]: { uncountedRestarts: 2 } } });
  });
});

test("a create action creates an instance", async () => {
  const { journal } = await act(createAction, { offers: () => [offer()], create: () => 42 });
  expect(journal).toContain("create 31415926");
});

test("a create whose deadline is over is forgotten", async () => {
  const intent = {
    offerId: 1,
    hostId: 2,
    machineId: 3,
    dollarsPerHour: null,
    label: "l",
    startedAt: 4,
    contract: null,
  };
  expect((await act({ kind: "forget_intent" }, { state: { intent } })).result).toMatchObject({ intent: null });
});
