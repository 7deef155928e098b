import { describe, expect, test } from "vitest";
import type { Observation } from "../../../../provisioner/model/observation.ts";
import { applyObservation } from "../../../../provisioner/state/apply-observation.ts";
import type { State } from "../../../../provisioner/state/schema.ts";
import {
  containerBefore,
  recycled,
  templateSent,
  type Updating,
  undoUnanswered,
  updateBegun,
  updateFailed,
} from "../../../../provisioner/state/updating.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import {
  desired,
  endpoint,
  HASH,
  HOUR,
  MINUTE,
  NOW,
  observation,
  passing,
  row,
  SECOND,
  servingTrack,
  state,
  template,
  waitingTrack,
} from "../plan/situation.ts";

const ID = 7835610;
const action = {
  kind: "update",
  id: ID,
  reason: "image_changed",
  image: "example/app:2",
  templateHash: HASH,
  diskGb: null,
  difference: { wanted: "image example/app:2", reported: "image example/app:1" },
  before: { image: "example/app:1", templateHash: HASH },
  statusBefore: "",
  undoes: null,
} as const;
const old = row({ image: "example/app:1" });
const fold = (before: State, seen: Observation) => applyObservation(before, seen, desired, 10_000, seen.listedAt);
const probedAt = (startedAt: number) => new Map([[ID, { ...passing(endpoint), startedAt, at: startedAt + 1 }]]);
const listed = (afterMs: number, rows: readonly Instance[], probeAfterMs = afterMs) =>
  observation(rows, { listedAt: NOW + afterMs, probes: probedAt(NOW + probeAfterMs) });
const afterRecycle = (over: Partial<State> = {}) =>
  recycled(updateBegun(state({ tracks: { [ID]: servingTrack() }, ...over }), action, NOW), action, "r", NOW);
const updatingOf = (s: State): Updating | null => s.updating;

test("the container of before is certain to run while each attempt came no further than its template, and none was cut off", () => {
  const begun = updateBegun(state(), action, NOW);
  const before = (s: State) => s.updating && containerBefore(s.updating);
  const refused = templateSent(begun, NOW);
  expect(before(refused)).toEqual(action.before);
  const refusedAgain = templateSent(updateBegun(refused, { ...action, before: null }, NOW + MINUTE), NOW + MINUTE);
  expect(before(refusedAgain)).toEqual(action.before);
  expect(before(begun)).toBeNull(); // killed before the answer was recorded, and perhaps after the recycle
  expect(before(templateSent(updateBegun(begun, action, NOW + MINUTE), NOW + MINUTE))).toBeNull();
  expect(before(recycled(refused, action, "r", NOW))).toBeNull();
});

describe("after its recycle", () => {
  test("an instance has to become ready like a new one, and waits from then on", () => {
    const [track] = Object.values(afterRecycle().tracks);
    expect(track).toMatchObject({
      wasReady: false,
      serving: false,
      runningSince: null,
      waitingSince: NOW,
      endpoint: null,
    });
  });

  test("a wait of before, which the ban store still holds, is over", () => {
    const waiting = afterRecycle({ tracks: { [ID]: waitingTrack(15 * MINUTE) } });
    const counters = new Map([[ID, { waitingSince: NOW - 15 * MINUTE, restarts: 0 }]]);
    const next = fold(waiting, { ...listed(2 * SECOND, [old]), counters });
    expect(next.tracks[ID]?.waitingSince).toBe(NOW);
  });

  test("it counts as a replacement for its difference", () => {
    const { replacements, converging } = afterRecycle();
    expect(replacements).toEqual([{ at: NOW, revision: "r" }]);
    expect(converging).toEqual(action.difference);
  });

  test("a passing probe counts for nothing while the list shows the old image", () => {
    const next = fold(afterRecycle(), listed(10 * SECOND, [old]));
    expect(next.tracks[ID]).toMatchObject({ serving: false, wasReady: false });
    expect(updatingOf(next)).not.toBeNull();
  });

  test.each([
    ["image", { image: "example/app:1" }],
    ["hash", { templateHash: "0ld" }],
    ["hash", { templateHash: null }],
  ])("nor while it shows only one of both: the wrong %s", (_, over) => {
    expect(fold(afterRecycle(), listed(10 * SECOND, [row(over)])).tracks[ID]?.serving).toBe(false);
  });

  test("nor in the first seconds, in which the old container may still run", () => {
    expect(fold(afterRecycle(), listed(4 * SECOND, [row()])).tracks[ID]?.serving).toBe(false);
  });

  test("nor where it began before the list that shows the change", () => {
    expect(fold(afterRecycle(), listed(10 * SECOND, [row()], 9 * SECOND)).tracks[ID]?.serving).toBe(false);
  });

  test("a later one makes it serve, and the update is over", () => {
    const next = fold(afterRecycle(), listed(10 * SECOND, [row()]));
    expect(next.tracks[ID]).toMatchObject({ serving: true, wasReady: true });
    expect(updatingOf(next)).toBeNull();
  });

  test("the list has 120 s to show the change; then the update has failed, and what answers may serve until it is replaced", () => {
    const before = fold(afterRecycle(), listed(119 * SECOND, [old]));
    expect(updatingOf(before)?.failed).toBeNull();
    const next = fold(before, listed(120 * SECOND, [old]));
    expect(updatingOf(next)?.failed).toMatch(
      /the list still shows image example\/app:1 and template hash 4e17aa01 120 s/,
    );
    expect(next.tracks[ID]?.serving).toBe(true);
    expect(next).toMatchObject({ converging: null, replacements: [] });
  });

  test("a change that is shown in time has as long as any start to become ready", () => {
    const silent = observation([row()], { listedAt: NOW + 10 * MINUTE });
    expect(updatingOf(fold(afterRecycle(), silent))?.failed).toBeNull();
  });

  test("it is over when another instance is listed instead, and not because one list lacks it", () => {
    expect(updatingOf(fold(afterRecycle(), listed(SECOND, [])))).not.toBeNull();
    expect(updatingOf(fold(afterRecycle(), listed(SECOND, [row({ id: 5 })])))).toBeNull();
  });
});

test("a refused update leaves no replacement behind, and keeps those before it", () => {
  const earlier = { at: NOW - MINUTE, revision: "r" };
  const begun = updateBegun(state({ replacements: [earlier], converging: action.difference }), action, NOW);
  const failed = updateFailed(begun, "no");
  expect(failed).toMatchObject({ replacements: [earlier], converging: action.difference, updating: { failed: "no" } });
});

describe("the ports of the template before", () => {
  const edited = (hash: string, portFlags: string, rows: readonly Instance[]) =>
    observation(rows, { template: { known: true, value: { ...template, hash, portFlags } } });
  const first = { ...template, hash: "a", portFlags: "1:1", seenAt: NOW, readAt: NOW };

  test("are kept when its content changes, as long as the instance may have them", () => {
    const rows = [row({ templateHash: "a" })];
    const second = fold(state({ template: first }), edited("b", "2:2", rows));
    expect(second.templateBefore).toEqual({ hash: "a", portFlags: "1:1" });
    expect(fold(second, edited("c", "3:3", rows)).templateBefore).toEqual({ hash: "a", portFlags: "1:1" });
    expect(fold(second, edited("c", "3:3", [row({ templateHash: "b" })])).templateBefore).toMatchObject({ hash: "b" });
  });

  test("are not known from what an earlier version has stored", () => {
    const { portFlags: _, ...stored } = first;
    expect(fold(state({ template: stored }), edited("b", "2:2", [])).templateBefore).toBeNull();
  });
});

describe("the container of before", () => {
  const undo = {
    ...action,
    reason: "update_failed",
    image: "example/app:1",
    before: null,
    undoes: "no such image",
  } as const;

  test("is the one of the first attempt: a row may show what was only prepared", () => {
    const first = updateBegun(state(), action, NOW);
    const again = updateBegun(first, { ...action, before: { image: "example/app:2", templateHash: HASH } }, NOW);
    expect(updatingOf(again)?.before).toEqual(action.before);
  });

  test("is put back without counting as a replacement, and the next attempt waits, longer each time", () => {
    const failed = updateBegun(afterRecycle(), undo, NOW + MINUTE);
    expect(failed).toMatchObject({
      replacements: [],
      converging: null,
      updating: { image: "example/app:1", before: null },
    });
    expect(failed.heldReplacement).toMatchObject({
      reason: "update_failed",
      wanted: "image example/app:2",
      failures: 1,
      until: NOW + 21 * MINUTE,
      message: expect.stringContaining("no such image. It keeps image example/app:1"),
    });
    const back = recycled(failed, undo, "r", NOW + MINUTE);
    expect(back.replacements).toEqual([]);
    expect(back.tracks[ID]).toMatchObject({ wasReady: false, waitingSince: NOW + MINUTE });
    const served = fold(back, listed(MINUTE + 10 * SECOND, [old]));
    expect(served.tracks[ID]?.serving).toBe(true);
    expect(updatingOf(served)).toBeNull();
    expect(served.heldReplacement?.failures).toBe(1);
    const second = recycled(updateBegun(served, action, NOW + HOUR), action, "r", NOW + HOUR);
    expect(updateBegun(second, undo, NOW + HOUR).heldReplacement).toMatchObject({
      failures: 2,
      until: NOW + HOUR + 40 * MINUTE,
    });
  });

  test("calls without an answer are counted, and begin no new wait", () => {
    const begun = updateBegun(afterRecycle(), undo, NOW + MINUTE);
    const { state: once, times } = undoUnanswered(begun);
    expect(times).toBe(1);
    const again = updateBegun(once, undo, NOW + 2 * MINUTE);
    expect(again.updating?.undo).toEqual({ why: "no such image", unanswered: 1 });
    expect(again.heldReplacement).toEqual(begun.heldReplacement);
  });
});
