import { expect, test } from "vitest";
import { stateAtStart } from "../../../../provisioner/state/at-start.ts";
import { NOW, row, servingTrack, state } from "../plan/situation.ts";

const ID = row().id;
const atStart = (revision: string | null) => {
  const stored = state({ revision, tracks: { [ID]: servingTrack({ foundOutdated: false }) } });
  const { revision: next, tracks } = stateAtStart(stored, stored.label, "template image:2", NOW);
  return [next, tracks[ID]?.foundOutdated];
};

test("a run that wants something else than the one before finds out again what is outdated", () => {
  expect(atStart("template image:1")).toEqual(["template image:2", null]);
  expect(atStart("template image:2")).toEqual(["template image:2", false]);
});

test("a state without that is of a run before this was known, and says nothing", () => {
  expect(atStart(null)).toEqual(["template image:2", false]);
});

test("without a state there is nothing to find out", () => {
  expect(stateAtStart(null, "k8s_pod=a", "template image:2", NOW)).toMatchObject({
    label: "k8s_pod=a",
    revision: "template image:2",
    tracks: {},
  });
});

test("a duplicate whose DELETE was not sent is decided anew: the instance beside it may have ended since", () => {
  const pending = { id: ID, reason: "duplicate", since: NOW, deleteSentAt: null };
  const others = [
    { ...pending, id: 1, deleteSentAt: NOW },
    { ...pending, id: 2, reason: "operator" },
    { ...pending, id: 3, reason: "unreachable" },
  ];
  const stored = state({ pendingDeletes: [pending, ...others] });
  expect(stateAtStart(stored, stored.label, "template image:2", NOW).pendingDeletes).toEqual(others);
});
