import { describe, expect, test } from "vitest";
import { applyObservation } from "../../../../provisioner/state/apply-observation.ts";
import { clampTimestamps } from "../../../../provisioner/state/clamp-timestamps.ts";
import type { State } from "../../../../provisioner/state/schema.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import {
  createAction,
  desired,
  HOUR,
  LABEL,
  MINUTE,
  NOW,
  observation,
  planned,
  row,
  SECOND,
  servingTrack,
  state,
} from "../plan/situation.ts";

const DAY = 24 * HOUR;
const AHEAD = NOW + DAY;
const ID = row().id;

/** What is planned `afterMs` later, from a state that was written while the clock was a day ahead. */
function later(over: Partial<State>, rows: readonly Instance[], afterMs: number) {
  const [first, now] = [NOW, NOW + afterMs];
  const seen = (at: number) => observation(rows, { listedAt: at });
  const began = applyObservation(state(over), seen(first), desired, 10 * SECOND, first);
  return planned({ seen: seen(now), state: applyObservation(began, seen(now), desired, 10 * SECOND, now), now });
}

describe("after a clock that was a day ahead was corrected", () => {
  test("a pending delete is sent again within a minute", () => {
    const refused = { at: AHEAD, times: 1 };
    const pendingDeletes = [{ id: ID, reason: "duplicate", since: AHEAD, deleteSentAt: AHEAD, refused }];
    const plan = later({ pendingDeletes }, [row()], MINUTE);
    expect(plan.actions).toEqual([expect.objectContaining({ kind: "destroy", id: ID, reason: "still_listed" })]);
  });

  test.each<[string, Partial<State>, number]>([
    ["the budget refills within about an hour", { creates: Array.from({ length: 6 }, () => AHEAD) }, 62 * MINUTE],
    ["the first create waits only for its second list", { confirmedNone: false, firstNoneAt: AHEAD }, 10 * SECOND],
    [
      "a backoff does not last a day",
      {
        backoff: {
          reason: "no_offer",
          message: "m",
          failures: 1,
          until: AHEAD,
          wanted: desired.revision,
        },
      },
      2 * HOUR,
    ],
    [
      "a pause for account trouble does not last a day",
      { account: { trouble: "no_credit", message: "m", failures: 1, until: AHEAD } },
      2 * HOUR,
    ],
  ])("%s", (_, over, afterMs) => {
    expect(later(over, [], afterMs).actions).toEqual([createAction]);
  });

  test("a create with an unknown outcome is looked for no longer than usual", () => {
    const intent = {
      offerId: 1,
      hostId: 1,
      machineId: 1,
      dollarsPerHour: 1,
      label: LABEL,
      startedAt: AHEAD,
      contract: null,
    };
    expect(later({ intent }, [], 120 * SECOND).actions).toEqual([{ kind: "forget_intent" }]);
  });

  test("an instance that does not answer is given its time from now on", () => {
    const silent = servingTrack({
      serving: false,
      servingSince: null,
      failedProbes: 3,
      endpoint: null,
      notServingSince: AHEAD,
    });
    const unserved = row({ ports: { "22/tcp": 40022 }, directPortStart: null });
    expect(later({ tracks: { [ID]: silent } }, [unserved], 300 * SECOND + 1).reason).toBe("unreachable");
  });
});

test("a state of a right clock stays as it is", () => {
  const full = state({
    tracks: { [ID]: servingTrack({ lost: { since: NOW, reads: 1, readAt: NOW } }) },
    pendingDeletes: [{ id: 1, reason: "duplicate", since: NOW, deleteSentAt: null }],
    creates: [NOW - HOUR, NOW],
    avoided: [{ machineId: 1, until: NOW + HOUR, served: true }],
    goneOffers: [{ id: 1, until: NOW + 5 * MINUTE }],
    backoff: { reason: "app_not_listening", message: "m", failures: 9, until: NOW + 2 * HOUR, wanted: "w" },
  });
  expect(clampTimestamps(full, NOW)).toBe(full);
});

test("only what is ahead is repaired: the rest of the state is the same, and so is the state that it came from", () => {
  const right = servingTrack();
  const ahead = state({
    tracks: { 1: right, 2: servingTrack({ probedAt: AHEAD }) },
    creates: [NOW - HOUR, AHEAD],
    avoided: [{ machineId: 1, until: AHEAD, served: false }],
    goneOffers: [{ id: 1, until: NOW + 5 * MINUTE }],
  });
  const repaired = clampTimestamps(ahead, NOW);
  expect(repaired.tracks[1]).toBe(right);
  expect(repaired.tracks[2]?.probedAt).toBe(NOW);
  expect(repaired.creates).toEqual([NOW - HOUR, NOW]);
  expect(repaired.avoided[0]?.until).toBeLessThanOrEqual(NOW + 2 * HOUR);
  expect(repaired.goneOffers).toBe(ahead.goneOffers);
  expect(ahead.tracks[2]?.probedAt).toBe(AHEAD);
  expect(ahead.creates).toEqual([NOW - HOUR, AHEAD]);
});
