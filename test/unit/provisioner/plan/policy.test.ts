import { describe, expect, test } from "vitest";
import type { Policy } from "../../../../provisioner/model/desired.ts";
import type { Published } from "../../../../provisioner/model/observation.ts";
import { type Action, type Decision, toPlan } from "../../../../provisioner/model/plan.ts";
import { afterGap, applyPolicy, isListTooOld, untilListed } from "../../../../provisioner/plan/policy.ts";
import { createAction, decided, NOW, observation, row, SECOND, servingTrack, silentTrack, state } from "./situation.ts";

const ID = 7835610;
const kinds = ({ actions }: Decision) => actions.map((action) => action.kind);
const replacing = (track = servingTrack()) =>
  decided({ seen: observation([row({ image: "example/app:1" })]), state: state({ tracks: { [ID]: track } }) });
const creating = decided({});
/** What is published of the decision under a policy. */
const published = (decision: Decision, policy: Policy) => toPlan(applyPolicy(decision, policy).decision);

describe("sync", () => {
  test("changes nothing about a plan", () => {
    const decision = replacing();
    expect(applyPolicy(decision, "sync")).toEqual({ decision, suppressed: [] });
  });
});

describe("no-destroy", () => {
  test("suppresses a destroy, reports it, and keeps serving the instance", () => {
    const { decision, suppressed } = applyPolicy(replacing(), "no-destroy");
    const plan = toPlan(decision);
    expect(plan).toMatchObject({ state: "ready", actions: [], instance: { id: ID }, reason: "image_changed" });
    expect(plan.server).toMatchObject({ host: "203.0.113.9", port: 41234 });
    expect(plan.message).toContain(`suppressed by VAST_POLICY=no-destroy: destroy ${ID} (image_changed)`);
    expect(suppressed).toMatchObject([{ kind: "destroy", id: ID }]);
  });

  test("serves nothing that does not answer", () => {
    expect(published(replacing(silentTrack(SECOND)), "no-destroy")).toMatchObject({
      state: "unavailable",
      server: null,
    });
  });

  test("creates", () => {
    expect(applyPolicy(creating, "no-destroy")).toEqual({ decision: creating, suppressed: [] });
  });

  test("does not spin over a suppressed destroy", () => {
    expect(published(replacing(), "no-destroy").nextCheckAt).toBe(NOW + 5 * SECOND);
  });

  test("keeps publishing the best of several while the others are not destroyed", () => {
    const full = decided({
      seen: observation([row(), row({ id: 1 })]),
      state: state({ tracks: { [ID]: servingTrack(), 1: silentTrack(SECOND) } }),
    });
    expect(published(full, "no-destroy")).toMatchObject({ state: "ready", instance: { id: ID }, actions: [] });
  });
});

describe("observe", () => {
  test("suppresses a create and reports it", () => {
    const { decision, suppressed } = applyPolicy(creating, "observe");
    expect(decision.actions).toEqual([]);
    expect(decision.message).toContain("suppressed by VAST_POLICY=observe: create");
    expect(suppressed).toEqual([createAction]);
    expect(decision.nextCheckAt).toBe(NOW + 5 * SECOND);
  });

  test("writes nothing to the ban store, without a word in the message", () => {
    const actions: Action[] = [
      { kind: "ban", target: { kind: "host", id: 1 }, instanceId: ID, reason: "start_timeout" },
      { kind: "start_waiting", instanceId: ID, since: NOW },
      { kind: "stop_waiting", instanceId: ID },
      { kind: "count_restart", instanceId: ID, times: 1 },
    ];
    expect(kinds(applyPolicy({ ...creating, actions }, "observe").decision)).toEqual([]);
    const withoutBan = { ...creating, actions: actions.slice(1) };
    expect(applyPolicy(withoutBan, "observe").decision.message).toBe(creating.message);
  });

  test("forgets a create whose deadline is over: that changes nothing outside", () => {
    const forgetting = { ...creating, actions: [{ kind: "forget_intent" } as const] };
    expect(kinds(applyPolicy(forgetting, "observe").decision)).toEqual(["forget_intent"]);
  });
});

const nothing: Published = { server: null, instance: null };
const servedBefore: Published = { ...nothing, server: { scheme: "http", host: "203.0.113.9", port: 41234 } };

describe("a replacement that has to wait", () => {
  test.each([
    ["after a time in which nobody looked", afterGap],
    ["for a fresh list", untilListed],
  ])("%s does not publish its server anew: the pod would be ready for a moment only", (_, postponed) => {
    const plan = toPlan(postponed(replacing(), nothing));
    expect(plan).toMatchObject({ state: "provisioning", server: null, actions: [], instance: { id: ID } });
    expect(toPlan(postponed(replacing(), servedBefore))).toMatchObject({ state: "ready", server: { port: 41234 } });
  });

  test("does not keep another server back", () => {
    const duplicates = decided({
      seen: observation([row(), row({ id: 1 })]),
      state: state({ tracks: { [ID]: servingTrack(), 1: silentTrack(SECOND) } }),
    });
    expect(toPlan(afterGap(duplicates, nothing))).toMatchObject({ state: "ready", server: { port: 41234 } });
  });
});

describe("after a time in which nobody looked", () => {
  test("nothing is destroyed, created or banned, what serves stays served, and the next look comes soon", () => {
    const decision = afterGap(replacing(), servedBefore);
    expect(toPlan(decision)).toMatchObject({ state: "ready", actions: [], server: { port: 41234 } });
    expect(decision.message).toContain("decided again in 2 s");
    expect(decision.nextCheckAt).toBe(NOW + 2 * SECOND);
    expect(kinds(afterGap(creating, nothing))).toEqual([]);
    expect(afterGap(replacing(silentTrack(SECOND)), servedBefore).serving.server).toBeNull();
  });

  test("a destroy that was ordered before is sent again, and the ban store is kept up to date", () => {
    const actions: Action[] = [
      { kind: "destroy", id: 5, hostId: null, machineId: null, reason: "still_listed" },
      { kind: "stop_waiting", instanceId: ID },
    ];
    const ban: Action = { kind: "ban", target: null, instanceId: ID, reason: "start_timeout" };
    const decision = { ...creating, actions: [...actions, ban, { kind: "forget_intent" } as const] };
    expect(afterGap(decision, servedBefore).actions).toEqual(actions);
  });

  test("a decision that changes nothing stays as it is", () => {
    const decision = { ...creating, actions: [] };
    expect(afterGap(decision, servedBefore)).toBe(decision);
  });
});

describe("an update in place", () => {
  const updating = decided({
    limits: { updateStrategy: "in-place" },
    seen: observation([row({ image: "example/app:1" })]),
    state: state({ tracks: { [ID]: servingTrack() } }),
  });

  test("is not decided by a list that was asked for before the pass, or is too old by now", () => {
    expect(kinds(updating)).toEqual(["update"]);
    const seen = { ...observation(), listedAt: NOW };
    expect(isListTooOld(updating.actions, seen, NOW, NOW)).toBe(false);
    expect(isListTooOld(updating.actions, seen, NOW + 1, NOW + 1)).toBe(true);
    expect(isListTooOld(updating.actions, { ...seen, shared: true }, NOW, NOW + 20 * SECOND + 1)).toBe(true);
  });

  test("waits for the second look after a time in which nobody looked, and the instance serves on", () => {
    const published: Published = { server: updating.serving.server, instance: updating.serving.instance };
    const decision = afterGap(updating, published);
    expect(kinds(decision)).toEqual([]);
    expect(toPlan(decision).server).not.toBeNull();
  });
});
