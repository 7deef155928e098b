import { describe, expect, test } from "vitest";
import type { Action, Plan } from "../../../../provisioner/model/plan.ts";
import { applyPolicy } from "../../../../provisioner/plan/policy.ts";
import { NOW, observation, planned, row, SECOND, servingTrack, silentTrack, state } from "./situation.ts";

const ID = 7835610;
const kinds = (plan: Plan) => plan.actions.map((action) => action.kind);
const replacing = (track = servingTrack()) =>
  planned({ seen: observation([row({ image: "example/app:1" })]), state: state({ tracks: { [ID]: track } }) });
const creating = planned({});

describe("sync", () => {
  test("changes nothing about a plan", () => {
    const plan = replacing();
    expect(applyPolicy(plan, "sync")).toEqual({ plan, suppressed: [] });
  });
});

describe("no-destroy", () => {
  test("holds a destroy back, shows it, and goes on serving what stands", () => {
    const { plan, suppressed } = applyPolicy(replacing(), "no-destroy");
    expect(plan).toMatchObject({ state: "ready", actions: [], instance: { id: ID }, reason: "image_changed" });
    expect(plan.server).toMatchObject({ host: "203.0.113.9", port: 41234 });
    expect(plan.message).toContain(`suppressed by VAST_POLICY=no-destroy: destroy ${ID} (image_changed)`);
    expect(suppressed).toMatchObject([{ kind: "destroy", id: ID }]);
  });

  test("serves nothing that does not answer", () => {
    const { plan } = applyPolicy(replacing(silentTrack(SECOND)), "no-destroy");
    expect(plan).toMatchObject({ state: "unavailable", server: null });
  });

  test("creates", () => {
    expect(applyPolicy(creating, "no-destroy")).toEqual({ plan: creating, suppressed: [] });
  });

  test("does not spin over a destroy that it holds back", () => {
    expect(applyPolicy(replacing(), "no-destroy").plan.nextCheckAt).toBe(NOW + 5 * SECOND);
  });

  test("keeps publishing the best of several while the rest is not destroyed", () => {
    const full = planned({
      seen: observation([row(), row({ id: 1 })]),
      state: state({ tracks: { [ID]: servingTrack(), 1: silentTrack(SECOND) } }),
    });
    expect(applyPolicy(full, "no-destroy").plan).toMatchObject({ state: "ready", instance: { id: ID }, actions: [] });
  });
});

describe("observe", () => {
  test("holds a create back and says so", () => {
    const { plan, suppressed } = applyPolicy(creating, "observe");
    expect(plan.actions).toEqual([]);
    expect(plan.message).toContain("suppressed by VAST_POLICY=observe: create");
    expect(suppressed).toEqual([{ kind: "create" }]);
    expect(plan.nextCheckAt).toBe(NOW + 5 * SECOND);
  });

  test("writes nothing to the ban store, and makes no noise about it", () => {
    const actions: Action[] = [
      { kind: "ban", target: { kind: "host", id: 1 }, instanceId: ID, reason: "start_timeout" },
      { kind: "start_waiting", instanceId: ID, since: NOW },
      { kind: "stop_waiting", instanceId: ID },
      { kind: "count_restart", instanceId: ID, times: 1 },
    ];
    expect(kinds(applyPolicy({ ...creating, actions }, "observe").plan)).toEqual([]);
    const quiet = { ...creating, actions: actions.slice(1) };
    expect(applyPolicy(quiet, "observe").plan.message).toBe(creating.message);
  });

  test("forgets a create whose deadline is over: that changes nothing outside", () => {
    const plan = { ...creating, actions: [{ kind: "forget_intent" } as const] };
    expect(kinds(applyPolicy(plan, "observe").plan)).toEqual(["forget_intent"]);
  });
});
