import { expect, test } from "vitest";
import { applyObservation } from "../../../../provisioner/state/apply-observation.ts";
import { clampTimestamps } from "../../../../provisioner/state/clamp-timestamps.ts";
import { heldReplacement, holdReplacement } from "../../../../provisioner/state/held-replacement.ts";
import type { State } from "../../../../provisioner/state/schema.ts";
import { desired, HOUR, MINUTE, NOW, observation, row, SECOND, state } from "../plan/situation.ts";

const ID = 7835610;
const refused = { instanceId: ID, wanted: "image b", reason: "destroy_refused" as const, message: "m" };
const waitOf = ({ heldReplacement: held }: State, at: number) => ((held?.until ?? 0) - at) / MINUTE;

test("waits 1, 2, 4 and so on up to 30 min between attempts", () => {
  let now = NOW;
  let after = state();
  const waits = Array.from({ length: 7 }, () => {
    after = holdReplacement(after, refused, now);
    const wait = waitOf(after, now);
    now = after.heldReplacement?.until ?? now;
    return wait;
  });
  expect(waits).toEqual([1, 2, 4, 8, 16, 30, 30]);
});

test.each([
  ["another instance", { instanceId: 1 }],
  ["another value", { wanted: "image c" }],
])("begins again for %s", (_, over) => {
  const twice = holdReplacement(holdReplacement(state(), refused, NOW), refused, NOW);
  expect(waitOf(holdReplacement(twice, { ...refused, ...over }, NOW), NOW)).toBe(1);
});

test("holds this replacement of this instance until the wait is over", () => {
  const held = holdReplacement(state(), refused, NOW);
  expect(heldReplacement(held, ID, "image b", NOW + 59 * SECOND)?.message).toBe("m");
  expect(heldReplacement(held, ID, "image b", NOW + MINUTE)).toBeNull();
  expect(heldReplacement(held, ID, "image c", NOW)).toBeNull();
  expect(heldReplacement(held, 1, "image b", NOW)).toBeNull();
});

test("is forgotten when the instance is no longer listed", () => {
  const held = holdReplacement(state(), refused, NOW);
  const after = (rows: ReturnType<typeof row>[]) => applyObservation(held, observation(rows), desired, 0, NOW);
  expect(after([row()]).heldReplacement).toEqual(held.heldReplacement);
  expect(after([row({ id: 1 })]).heldReplacement).toBeNull();
});

test("does not wait for the time that a wrong clock once showed", () => {
  const held = holdReplacement(state(), refused, NOW + 1000 * HOUR);
  expect(waitOf(clampTimestamps(held, NOW), NOW)).toBeLessThanOrEqual(120);
});
