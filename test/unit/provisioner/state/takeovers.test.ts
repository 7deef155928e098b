import { describe, expect, test } from "vitest";
import { applyObservation } from "../../../../provisioner/state/apply-observation.ts";
import type { State } from "../../../../provisioner/state/schema.ts";
import { recordTakeovers, takenOverUntil } from "../../../../provisioner/state/takeovers.ts";
import { desired, MINUTE, NOW, observation, row, servingTrack, state, unknown } from "../plan/situation.ts";

/** The states after lists of these ids, a minute apart. */
function afterLists(
  lists: readonly (readonly number[] | "unknown")[],
  change: (before: State, n: number) => State = (s) => s,
) {
  let current = state({ tracks: { 1: servingTrack() } });
  lists.forEach((ids, n) => {
    const now = NOW + n * MINUTE;
    const seen = ids === "unknown" ? observation([], { list: unknown() }) : observation(ids.map((id) => row({ id })));
    const before = change(current, n);
    current = recordTakeovers(before, applyObservation(before, { ...seen, listedAt: now }, desired, 0, now), seen, now);
  });
  return current.takeovers.at;
}
const intent = (contract: number | null) => ({
  intent: { offerId: 1, hostId: 2, machineId: 3, dollarsPerHour: null, label: "l", startedAt: NOW, contract },
});

describe("an instance is taken over", () => {
  test("when it is gone and one that was not created here is listed", () => {
    expect(afterLists([[1], [2]])).toEqual([NOW + MINUTE]);
  });

  test("also when a list in between shows nothing", () => {
    expect(afterLists([[1], [], "unknown", [2]])).toEqual([NOW + 3 * MINUTE]);
  });

  test("also when the other one was there before", () => {
    expect(afterLists([[1], [1, 2], [2]])).toEqual([NOW + 2 * MINUTE]);
  });

  test("also when the other one was there before, and more of ours vanish one after the other", () => {
    expect(afterLists([[1], [1, 2], [1, 2, 3], [2, 3], [3]])).toHaveLength(1);
  });

  test("each time", () => expect(afterLists([[1], [2], [3]])).toHaveLength(2));
});

describe("an instance is not taken over", () => {
  test.each([
    ["when it is still listed beside the other one", afterLists([[1], [1, 2], [1]])],
    ["when nothing follows it", afterLists([[1], [], []])],
    ["when duplicates of it come and go", afterLists([[1], [1, 2], [1], [1, 3], [1], [1, 4]])],
    ["when a duplicate goes as another one comes", afterLists([[1], [1, 2], [1, 3], [1]])],
    ["when it was only missing from a list", afterLists([[1], [], [1], [1, 2]])],
    ["when it was missing from a list and is back beside another one", afterLists([[1], [], [1, 2]])],
    [
      "when its successor comes a quarter of an hour later",
      afterLists([[1], [], ...Array.from({ length: 14 }, () => []), [2]]),
    ],
    ["when its successor was created here", afterLists([[1], [2]], (s, n) => (n === 1 ? { ...s, ...intent(2) } : s))],
    [
      "when its successor may come from here",
      afterLists([[1], [2]], (s, n) => (n === 1 ? { ...s, ...intent(null) } : s)),
    ],
    [
      "when it was destroyed here",
      afterLists([[1], [2]], (s, n) =>
        n === 1 ? { ...s, pendingDeletes: [{ id: 1, reason: "unreachable", since: NOW, deleteSentAt: NOW }] } : s,
      ),
    ],
  ])("%s", (_, at) => expect(at).toEqual([]));
});

test("the second takeover within an hour stops every change for half an hour", () => {
  const until = (...minutesAgo: number[]) =>
    takenOverUntil(
      state({
        takeovers: { vanishedAt: null, vanished: [], foreign: null, at: minutesAgo.map((m) => NOW - m * MINUTE) },
      }),
      NOW,
    );
  expect(until(5)).toBeNull();
  expect(until(50, 5)).toBe(NOW + 25 * MINUTE);
  expect(until(50, 30)).toBeNull();
});
