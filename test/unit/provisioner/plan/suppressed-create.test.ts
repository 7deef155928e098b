import { describe, expect, test } from "vitest";
import type { Action } from "../../../../provisioner/model/plan.ts";
import { suppressedCreate } from "../../../../provisioner/plan/suppressed-create.ts";
import { createAction, desired, limits, observation, row, state, unknown } from "./situation.ts";

const destroy = (id: number): Action => ({
  kind: "destroy",
  id,
  hostId: 1,
  machineId: 2,
  reason: "image_changed",
  difference: { wanted: "image example/app:2", reported: "image example/app:1" },
});
const of = (suppressed: readonly Action[], ids: readonly number[], policy: "observe" | "no-destroy" = "observe") =>
  suppressedCreate(suppressed, policy, {
    desired,
    limits,
    seen: observation(ids.map((id) => row({ id }))),
    state: state(),
  });

describe("the create that is forbidden", () => {
  test("is the suppressed one", () => expect(of([createAction], [])).toBe(createAction));

  test("is the one that follows the suppressed end of the only instance", () => {
    expect(of([destroy(1)], [1])).toEqual(createAction);
  });

  test.each([
    ["none where another instance stays", of([destroy(1)], [1, 2])],
    ["none where nothing is suppressed", of([], [1])],
    ["none where the instance may not be destroyed at all", of([destroy(1)], [1], "no-destroy")],
    [
      "none while the list is unknown",
      suppressedCreate([destroy(1)], "observe", {
        desired,
        limits,
        seen: observation([], { list: unknown() }),
        state: state(),
      }),
    ],
  ])("is %s", (_, create) => expect(create).toBeNull());
});
