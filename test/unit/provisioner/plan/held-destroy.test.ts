import { describe, expect, test } from "vitest";
import { MINUTE, NOW, observation, planned, row, servingTrack, state } from "./situation.ts";

const ID = 7835610;
const held = (over: object = {}) => ({
  instanceId: ID,
  wanted: "duplicate",
  reason: "destroy_refused" as const,
  message: "the API refuses it",
  failures: 1,
  until: NOW + MINUTE,
  ...over,
});
const exited = { ...servingTrack(), serving: false, lost: { since: NOW - 60 * MINUTE, reads: 9, readAt: NOW } };

describe("an instance whose destroy was refused a short time ago", () => {
  const dead = (heldReplacement: ReturnType<typeof held> | null) =>
    planned({
      seen: observation([row({ actualStatus: "exited" })]),
      state: state({ tracks: { [ID]: exited }, heldReplacement }),
    });
  const reason = dead(null).reason;

  test("is kept until the next attempt, and the plan says why", () => {
    expect(dead(null).actions).toContainEqual(expect.objectContaining({ kind: "destroy", id: ID }));
    const plan = dead(held({ wanted: reason }));
    expect(plan).toMatchObject({ reason: "destroy_refused", state: "blocked", message: "the API refuses it" });
    expect(plan.actions.filter(({ kind }) => kind === "destroy")).toEqual([]);
    expect(plan.nextCheckAt).toBe(NOW + MINUTE);
  });

  test.each([
    ["another reason", { wanted: "start_timeout" }],
    ["another instance", { instanceId: 1 }],
    ["a wait that is over", { until: NOW }],
  ])("is destroyed for %s", (_, over) => {
    const plan = dead(held({ wanted: reason, ...over }));
    expect(plan.actions).toContainEqual(expect.objectContaining({ kind: "destroy", id: ID }));
  });

  test("does not keep its duplicates from being destroyed", () => {
    const rows = [row(), row({ id: 1 }), row({ id: 2 })];
    const destroys = (heldReplacement: ReturnType<typeof held> | null) =>
      planned({ seen: observation(rows), state: state({ tracks: { [ID]: servingTrack() }, heldReplacement }) })
        .actions.filter((action) => action.kind === "destroy")
        .map((action) => action.id);
    expect(destroys(null)).toEqual([1, 2]);
    expect(destroys(held({ instanceId: 1 }))).toEqual([2]);
  });
});
