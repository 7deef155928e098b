import { describe, expect, test } from "vitest";
import type { Observation } from "../../../../provisioner/model/observation.ts";
import { createLostLabelLook } from "../../../../provisioner/observe/lost-label.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import { fakeLog, vastError } from "../fakes.ts";
import { LABEL, observation, row, servingTrack, state, unknown } from "../plan/situation.ts";

const ID = 7835610;
const known = state({ tracks: { [ID]: servingTrack() } });
const none = observation([]);
const list: Observation["list"] = unknown("HTTP 500");

function setUp(...lists: (readonly Partial<Instance>[] | Error)[]) {
  const { log, lines } = fakeLog();
  let calls = 0;
  const client = {
    listByIds: async (ids: readonly number[]) => {
      expect(ids).toEqual([ID]);
      const answer = lists[Math.min(calls, lists.length - 1)];
      calls += 1;
      if (answer instanceof Error) throw answer;
      return (answer ?? []).map((one) => row(one));
    },
  };
  const look = createLostLabelLook({ client, log, label: LABEL });
  return {
    look: (before = known, seen = none) => look(before, seen, new AbortController().signal),
    warnings: () => lines.filter(({ level }) => level === "warn"),
    calls: () => calls,
  };
}

describe("an instance that vanished from the list of its label", () => {
  test.each([
    ["another label", "k8s_pod=web", "has the label k8s_pod=web instead of"],
    ["no label", null, "has no label instead of"],
    ["an empty label", "", "has no label instead of"],
  ])("and has %s is named once, with the remedy", async (_, label, text) => {
    const it = setUp([{ id: ID, label }]);
    await it.look();
    await it.look(state());
    expect(it.warnings()).toMatchObject([{ event: "lost_label", instance: ID }]);
    expect(it.warnings()[0]?.msg).toContain(text);
    expect(it.warnings()[0]?.msg).toContain("destroy it in the console of Vast.ai");
    expect(it.calls()).toBe(1);
  });

  test("and does not exist any more, or is listed again, is not named", async () => {
    for (const rows of [[], [{ id: ID, label: LABEL }]]) {
      const it = setUp(rows);
      await it.look();
      expect([it.warnings(), it.calls()]).toEqual([[], 1]);
    }
  });

  test("is looked for again when the API did not answer", async () => {
    const it = setUp(vastError("rate_limited", { status: 429 }), [{ id: ID, label: "other" }]);
    await it.look();
    expect(it.warnings()).toEqual([]);
    await it.look(state());
    expect(it.warnings()).toHaveLength(1);
  });
});

test.each([
  ["it is listed", known, observation([row()])],
  ["it was destroyed here", { ...known, pendingDeletes: [{ id: ID, reason: "x", since: 0, deleteSentAt: 1 }] }, none],
  ["the list is unknown", known, { ...none, list }],
])("nothing is asked while %s", async (_, before, seen) => {
  const it = setUp([]);
  await it.look(before, seen);
  expect(it.calls()).toBe(0);
});
