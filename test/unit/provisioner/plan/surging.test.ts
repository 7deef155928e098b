import { describe, expect, test } from "vitest";
import { known } from "../../../../provisioner/model/observation.ts";
import { applyPolicy } from "../../../../provisioner/plan/policy.ts";
import { untilTurn, wishOf } from "../../../../provisioner/plan/turn.ts";
import type { State, Track } from "../../../../provisioner/state/schema.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import {
  createAction,
  decided,
  LABEL,
  MINUTE,
  NOW,
  observation,
  planned,
  row,
  SECOND,
  servingTrack,
  silentTrack,
  startingRow,
  state,
  unknown,
  waitingTrack,
} from "./situation.ts";

const OLD = 7835610;
const NEXT = 7835699;
const LIMIT = 1200 * SECOND;
const limits = { updateStrategy: "surge" } as const;
const old = (over: Partial<Instance> = {}) => row({ image: "example/app:1", ...over });
const next = (over: Partial<Instance> = {}) => startingRow({ id: NEXT, hostId: 5, machineId: 6, ...over });
const differs = { id: OLD, wanted: "image example/app:2", reported: "image example/app:1" };
const intent = (ms: number, contract: number | null): NonNullable<State["intent"]> => ({
  offerId: 1,
  hostId: 5,
  machineId: 6,
  dollarsPerHour: 0.3,
  label: LABEL,
  startedAt: NOW - ms,
  contract,
  besides: differs,
});

function situation(rows: readonly Instance[], tracks: Record<number, Track>, over: Partial<State> = {}, seen = {}) {
  return { limits, seen: observation(rows, seen), state: state({ tracks, ...over }) };
}
const notBeside = { ...intent(MINUTE, NEXT), besides: undefined };
const alone = (over: Partial<State> = {}, seen = {}) => situation([old()], { [OLD]: servingTrack() }, over, seen);
const pair = (track: Track, over: Partial<Instance> = {}, oldTrack = servingTrack()) =>
  situation([old(), next(over)], { [OLD]: oldTrack, [NEXT]: track });

describe("an instance that differs and serves", () => {
  test("serves on while another one is created", () => {
    const plan = planned(alone());
    expect(plan).toMatchObject({ reason: "image_changed", state: "ready", server: { port: 41234 } });
    expect(plan.actions).toEqual([{ ...createAction, besides: differs }]);
  });

  test.each<[string, Partial<State>, object]>([
    [
      "another one is being destroyed",
      { pendingDeletes: [{ id: 5, reason: "duplicate", since: NOW, deleteSentAt: NOW }] },
      { list: known([old(), row({ id: 5 })]) },
    ],
    ["the bans are unknown", {}, { bans: unknown("Redis: away") }],
    ["a create has an unknown outcome", { intent: intent(MINUTE, null) }, {}],
    ["a created one is not listed yet", { intent: intent(MINUTE, NEXT) }, {}],
    ["one that was created before this one was listed is not listed", { intent: notBeside }, {}],
  ])("waits while %s", (_, over, seen) => {
    expect(planned(alone(over, seen))).toMatchObject({ reason: "surging", state: "ready", actions: [] });
  });

  test("a create that left nothing within 120 s is forgotten, and one that is not listed is destroyed by its id", () => {
    expect(planned(alone({ intent: intent(2 * MINUTE, null) })).actions).toEqual([{ kind: "forget_intent" }]);
    const never = planned(alone({ intent: intent(2 * MINUTE, NEXT) })).actions;
    expect(never).toMatchObject([{ kind: "destroy", id: NEXT, reason: "create_never_appeared" }]);
  });

  test("nothing is created while the last attempt is held, the budget is spent, or destroys are forbidden", () => {
    const heldReplacement = {
      instanceId: OLD,
      wanted: differs.wanted,
      reason: "update_failed" as const,
      message: "m",
      failures: 1,
      until: NOW + MINUTE,
    };
    expect(planned(alone({ heldReplacement }))).toMatchObject({
      reason: "update_failed",
      state: "blocked",
      actions: [],
    });
    const creates = [1, 2, 3, 4, 5, 6].map((minutes) => NOW - minutes * MINUTE);
    expect(planned(alone({ creates }))).toMatchObject({ reason: "create_budget", actions: [] });
    expect(applyPolicy(decided(alone()), "no-destroy").decision.actions).toEqual([]);
  });

  test("waits for its turn behind the pods that have no instance, and nobody counts as down", () => {
    const decision = decided(alone());
    const wish = wishOf(decision, state({ hasServed: true }), false);
    expect(wish).toEqual({ kind: "surge", lost: true });
    if (wish === null) return;
    const waiting = untilTurn(decision, wish, { kind: "later", ahead: 3, waitMs: MINUTE, checkMs: SECOND });
    expect(waiting).toMatchObject({ reason: "waiting_for_turn", state: "ready", actions: [] });
  });
});

describe("an instance that differs and does not serve", () => {
  const only = (track: Track) => planned(situation([old()], { [OLD]: track }));

  test("has the time of any other one to come back, if it has served", () => {
    expect(only(silentTrack(10 * SECOND))).toMatchObject({ reason: "instance_unreachable", actions: [] });
  });

  test("is replaced at once if it never has, but not before some probes have shown that", () => {
    expect(only(waitingTrack(59 * SECOND)).actions).toEqual([]);
    expect(only(waitingTrack(MINUTE)).actions).toMatchObject([{ kind: "destroy", id: OLD, reason: "image_changed" }]);
  });
});

describe("an outdated instance and its replacement", () => {
  test("the old one serves until the new one does", () => {
    const plan = planned(pair(waitingTrack(MINUTE)));
    expect(plan).toMatchObject({ reason: "surging", state: "ready", actions: [], instance: { id: OLD } });
    expect(plan.server).not.toBeNull();
  });

  test("then the new one is published, and the old one is destroyed", () => {
    const endpoint = { host: "203.0.113.10", port: 5000 };
    const plan = planned(pair(servingTrack({ endpoint }), row({ id: NEXT, hostId: 5 })));
    expect(plan).toMatchObject({ reason: "surging", state: "ready", server: endpoint, instance: { id: NEXT } });
    expect(plan.actions).toMatchObject([{ kind: "destroy", id: OLD, reason: "duplicate" }]);
  });

  test("no state is needed for that: a pod that lost its disk destroys neither before it has probed them", () => {
    const found = waitingTrack(0);
    const plan = planned(situation([old(), next()], { [OLD]: found, [NEXT]: found }));
    expect(plan).toMatchObject({ reason: "surging", state: "provisioning", actions: [] });
  });

  test.each<[string, Partial<Instance>, Track, string]>([
    ["cannot pull its image", { statusMessage: "manifest unknown" }, waitingTrack(MINUTE), "image_unavailable"],
    ["does not start in time", {}, waitingTrack(LIMIT + 1), "start_timeout"],
    ["alternates between running and starting", {}, waitingTrack(LIMIT + 1), "start_timeout"],
    [
      "runs, and nothing answers in time",
      { actualStatus: "running" },
      waitingTrack(LIMIT + 1, { runningSince: NOW - MINUTE }),
      "app_not_listening",
    ],
  ])("a replacement that %s is destroyed, and the old one serves on", (_, over, track, reason) => {
    const plan = planned(pair(track, over));
    expect(plan).toMatchObject({ reason, state: "ready", instance: { id: OLD } });
    expect(plan.server).not.toBeNull();
    expect(plan.actions.filter(({ kind }) => kind === "destroy")).toMatchObject([{ id: NEXT, reason }]);
  });

  test("an old one that is silent for a short time is kept, and one that is dead by the rules is destroyed", () => {
    expect(planned(pair(waitingTrack(MINUTE), {}, silentTrack(10 * SECOND))).actions).toEqual([]);
    const dead = planned(pair(waitingTrack(MINUTE), {}, silentTrack(10 * MINUTE)));
    expect(dead.actions).toMatchObject([{ kind: "destroy", id: OLD, reason: "unreachable" }]);
  });

  test("a third instance is one too many", () => {
    const rows = [old(), next(), next({ id: 7835700 })];
    const track = waitingTrack(MINUTE);
    const plan = planned(situation(rows, { [OLD]: servingTrack(), [NEXT]: track, 7835700: track }));
    expect(plan.actions).toMatchObject([{ kind: "destroy", id: 7835700, reason: "duplicate" }]);
  });

  test.each([
    ["instance_outbid", { isBid: true, curState: "stopped" }],
    ["instance_stopped", { curState: "stopped" }],
  ])("a replacement whose contract is stopped has failed, and is no duplicate: %s", (reason, over) => {
    const surge = { old: differs, newId: NEXT, since: NOW - MINUTE };
    const given = pair(waitingTrack(MINUTE), over);
    const failed = planned({ ...given, state: { ...given.state, surge } });
    expect(failed).toMatchObject({ state: "ready", actions: [{ kind: "destroy", id: NEXT, reason }] });
    expect(planned(given).actions).toMatchObject([{ kind: "destroy", id: NEXT, reason: "duplicate" }]);
  });

  test("with another strategy the second one is a duplicate", () => {
    const plan = planned({ ...pair(waitingTrack(MINUTE)), limits: {} });
    expect(plan).toMatchObject({ reason: "duplicate", actions: [{ kind: "destroy", id: NEXT }] });
  });
});

describe("a provisioner that another one has superseded, which surges", () => {
  const ownership = { kind: "ours", doubt: null, superseded: true } as const;
  const newer = (over: Partial<Instance> = {}) => next({ image: "example/app:3", ...over });
  const plan = (mine: Instance, theirs: Instance, track: Track, changes: object = {}, mineTrack = servingTrack()) =>
    planned({ ...situation([mine, theirs], { [mine.id]: mineTrack, [theirs.id]: track }), ownership, ...changes });

  test.each([
    ["as it wants it", row()],
    ["of an earlier image", old()],
  ])("leaves the pair alone, whose old one is %s", (_, mine) => {
    for (const track of [waitingTrack(MINUTE), servingTrack({ waitingSince: NOW - 5 * MINUTE })])
      expect(plan(mine, newer(), track)).toMatchObject({ reason: "surging", state: "ready", actions: [] });
  });

  test("leaves it alone with another strategy and another template, too", () => {
    for (const updateStrategy of ["recreate", "in-place"] as const) {
      const theirs = next({ templateHash: "0ther" });
      expect(plan(row(), theirs, waitingTrack(MINUTE), { limits: { updateStrategy } }).actions).toEqual([]);
    }
  });

  test("ends the surge of one that does not come back: never the new one for its image", () => {
    expect(plan(row(), newer(), servingTrack()).actions).toMatchObject([{ kind: "destroy", id: OLD }]);
    const failed = plan(row(), newer(), waitingTrack(LIMIT + 1));
    expect(failed.actions.filter(({ kind }) => kind === "destroy")).toMatchObject([
      { id: NEXT, reason: "start_timeout" },
    ]);
  });

  test("destroys a duplicate: of two that start, the one that is as the newest", () => {
    const twin = { ...situation([row(), next()], { [OLD]: servingTrack(), [NEXT]: waitingTrack(MINUTE) }), ownership };
    expect(planned(twin)).toMatchObject({ reason: "duplicate", actions: [{ kind: "destroy", id: NEXT }] });
  });
});
