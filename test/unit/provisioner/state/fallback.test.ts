import { describe, expect, test } from "vitest";
import { applyObservation } from "../../../../provisioner/state/apply-observation.ts";
import { clampTimestamps } from "../../../../provisioner/state/clamp-timestamps.ts";
import { afterReturnCreate, bidFound, nothingFound, returnFailed } from "../../../../provisioner/state/fallback.ts";
import type { Intent, State } from "../../../../provisioner/state/schema.ts";
import {
  desired,
  HOUR,
  LABEL,
  MINUTE,
  NOW,
  observation,
  row,
  servingTrack,
  state,
  waitingTrack,
} from "../plan/situation.ts";

const ID = 7835610;
const NEXT = 7835699;
const intent: Intent = {
  offerId: 1,
  hostId: 5,
  machineId: 6,
  dollarsPerHour: 0.25,
  label: LABEL,
  startedAt: NOW,
  contract: ID,
  fallback: true,
};
const fallback = { instanceIds: [ID], since: NOW, looks: 0, attempts: 0, until: NOW + 15 * MINUTE, found: null };
const found = { dollarsPerHour: 0.11, at: NOW };
const toBid = { id: ID, wanted: "a bid", reported: "a price on demand", toBid: true };
const fold = (before: State, ids: number[], at = NOW + MINUTE, over = {}) =>
  applyObservation(
    before,
    observation(
      ids.map((id) => row({ id })),
      { listedAt: at, ...over },
    ),
    desired,
    10_000,
    at,
  );
const serves = (over: Partial<State> = {}) => state({ tracks: { [ID]: servingTrack() }, fallback, ...over });

describe("a pod falls back to a price on demand", () => {
  test("when the list shows the instance of such a create, whether or not its answer came", () => {
    for (const contract of [ID, null]) {
      const listed = fold(state({ intent: { ...intent, contract } }), [ID], NOW);
      expect(listed).toMatchObject({ intent: null, fallback });
    }
    expect(fold(state({ intent: { ...intent, fallback: undefined } }), [ID]).fallback).toBeNull();
  });

  test("until a list shows other instances only", () => {
    expect(fold(serves(), [ID]).fallback).toEqual(fallback);
    expect(fold(serves(), [5]).fallback).toBeNull();
  });

  test("but not by an empty list, or a list of one known instance", () => {
    expect(fold(serves(), []).fallback).toEqual(fallback);
    const partial = { partial: { message: "HTTP 502", account: null } };
    expect(fold(serves(), [5], NOW + MINUTE, partial).fallback).toEqual(fallback);
  });

  test("and is still one, since the same time, when its instance is replaced by another one on demand", () => {
    const replaced = fold(serves({ intent: { ...intent, contract: NEXT } }), [NEXT]);
    expect(replaced.fallback).toEqual({ ...fallback, instanceIds: [NEXT] });
  });
});

test("a look that finds nothing makes the next one wait 15, 30, 60 and at most 120 min", () => {
  let after = serves();
  for (const minutes of [15, 30, 60, 120, 120]) {
    after = nothingFound(after, NOW);
    expect(after.fallback).toMatchObject({ until: NOW + minutes * MINUTE, found: null });
  }
  expect(bidFound(after, 0.11, NOW).fallback).toMatchObject({ found, until: NOW + 15 * MINUTE });
});

describe("an attempt", () => {
  const begun = { ...serves({ fallback: { ...fallback, looks: 3, found } }) };
  const backoff = { reason: "no_offer", message: "m", failures: 2, until: NOW + HOUR, wanted: "w" } as const;
  const account = { trouble: "spend_limit", message: "m", failures: 1, until: NOW + HOUR } as const;

  test("whose create rents nothing makes no other create wait, and counts as a look", () => {
    const after = afterReturnCreate(begun, { ...begun, backoff, account }, "no_offer", NOW);
    expect(after).toMatchObject({ backoff: null, account: null, bidFailures: [] });
    expect(after.fallback).toMatchObject({ looks: 4, attempts: 0, found: null, until: NOW + 120 * MINUTE });
  });

  test("that was interrupted begins again, and one that may have rented something has begun", () => {
    expect(afterReturnCreate(begun, begun, "create_interrupted", NOW)).toBe(begun);
    const made = afterReturnCreate(begun, { ...begun, intent }, "create_unresolved", NOW);
    expect(made.fallback).toMatchObject({ looks: 0, found: null });
  });

  test.each<[string, State["pendingDeletes"]]>([
    ["was destroyed", [{ id: NEXT, reason: "start_timeout", since: NOW, deleteSentAt: NOW }]],
    ["was taken for a duplicate", [{ id: NEXT, reason: "duplicate", since: NOW, deleteSentAt: NOW }]],
    ["disappeared", []],
  ])("whose instance %s is tried again after an hour, and nothing else is held or counted", (_, pendingDeletes) => {
    const open = { ...intent, contract: NEXT, besides: toBid, fallback: undefined };
    const sent = fold(serves({ intent: open }), [ID]);
    expect(sent).toMatchObject({ surge: { old: toBid, newId: NEXT }, replacements: [], converging: null });
    const both = fold(sent, [ID, NEXT]);
    expect(both).toMatchObject({ intent: null, surge: { newId: NEXT } });
    const failed = fold({ ...both, pendingDeletes }, [ID], NOW + 2 * MINUTE);
    expect(failed).toMatchObject({ surge: null, heldReplacement: null, replacements: [], converging: null });
    expect(failed.fallback).toMatchObject({ instanceIds: [ID], attempts: 1, until: NOW + 62 * MINUTE });
  });

  test("that fails again waits 2, 4 and at most 24 h", () => {
    let after = serves();
    for (const hours of [1, 2, 4, 8, 16, 24, 24]) {
      after = returnFailed(after, NOW);
      expect(after.fallback?.until).toBe(NOW + hours * HOUR);
    }
  });

  test("is over when the instance on demand is gone, and with it the fallback", () => {
    const surge = { old: toBid, newId: NEXT, since: NOW };
    const both = serves({ surge, tracks: { [ID]: servingTrack(), [NEXT]: waitingTrack(MINUTE) } });
    expect(fold(both, [NEXT])).toMatchObject({ surge: null, fallback: null, heldReplacement: null });
  });
});

test("a wait that was written while the clock was ahead is at most a day", () => {
  const ahead = {
    ...fallback,
    since: NOW + HOUR,
    until: NOW + 999 * HOUR,
    found: { dollarsPerHour: 1, at: NOW + HOUR },
  };
  expect(clampTimestamps(serves({ fallback: ahead }), NOW).fallback).toEqual({
    ...fallback,
    until: NOW + 24 * HOUR,
    found: { dollarsPerHour: 1, at: NOW },
  });
});
