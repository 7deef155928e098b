import { describe, expect, test } from "vitest";
import { applyObservation } from "../../../../provisioner/state/apply-observation.ts";
import type { State } from "../../../../provisioner/state/schema.ts";
import { desired, HOUR, LABEL, MINUTE, NOW, observation, row, servingTrack, state } from "../plan/situation.ts";

const OLD = 7835610;
const NEXT = 7835699;
const old = row({ image: "example/app:1" });
const next = row({ id: NEXT });
const besides = { id: OLD, wanted: "image example/app:2", reported: "image example/app:1" };
const intent = (contract: number | null): NonNullable<State["intent"]> => ({
  offerId: 1,
  hostId: 5,
  machineId: 6,
  dollarsPerHour: 0.3,
  label: LABEL,
  startedAt: NOW,
  contract,
  besides,
});
const fold = (before: State, rows: (typeof old)[], at = NOW + MINUTE, over = {}) =>
  applyObservation(before, observation(rows, { listedAt: at, ...over }), desired, 10_000, at);
const begun = (contract: number | null = NEXT) =>
  fold(state({ tracks: { [OLD]: servingTrack() }, intent: intent(contract) }), [old]);
const both = fold(begun(), [old, next]);

describe("a surge", () => {
  test("begins with its create, which counts as a replacement", () => {
    expect(begun()).toMatchObject({
      surge: { old: besides, newId: NEXT, since: NOW },
      replacements: [{ at: NOW, revision: desired.revision }],
      converging: { wanted: besides.wanted },
      intent: { contract: NEXT },
    });
    expect(fold(begun(), [old]).replacements).toHaveLength(1);
  });

  test("the outdated instance is not taken for that of a create with an unknown outcome", () => {
    expect(begun(null).intent).not.toBeNull();
    const found = fold(begun(null), [old, next]);
    expect(found).toMatchObject({ intent: null, surge: { newId: NEXT } });
  });

  test("is over when the outdated instance is gone", () => {
    expect(both).toMatchObject({ intent: null, surge: { newId: NEXT } });
    expect(fold(both, [next]).surge).toBeNull();
    expect(fold(both, [next]).converging).toMatchObject({ wanted: besides.wanted });
  });

  test.each<[string, State["pendingDeletes"], RegExp]>([
    [
      "was destroyed",
      [{ id: NEXT, reason: "image_unavailable", since: NOW, deleteSentAt: NOW }],
      /\(image_unavailable\)/,
    ],
    ["disappeared", [], /\(it is not listed\)/],
  ])("has failed when its replacement %s: the next attempt waits, and counts as none", (_, pendingDeletes, why) => {
    const failed = fold({ ...both, pendingDeletes }, [old], NOW + 2 * MINUTE);
    expect(failed).toMatchObject({ surge: null, replacements: [], converging: null });
    expect(failed.heldReplacement).toMatchObject({
      instanceId: OLD,
      wanted: besides.wanted,
      reason: "update_failed",
      until: NOW + 22 * MINUTE,
      message: expect.stringMatching(why),
    });
    const again = fold({ ...failed, intent: { ...intent(NEXT + 1), startedAt: NOW + HOUR } }, [old], NOW + HOUR);
    expect(fold({ ...again, intent: null }, [old], NOW + HOUR).heldReplacement?.failures).toBe(2);
  });

  test("that ended its replacement because it differs, too, is not tried again", () => {
    const pendingDeletes = [{ id: NEXT, reason: "duplicate", since: NOW, deleteSentAt: NOW }];
    const ended = fold({ ...both, pendingDeletes }, [old]);
    expect(ended).toMatchObject({ surge: null, heldReplacement: null, converging: { wanted: besides.wanted } });
  });

  test("for the end of a contract says nothing about image and template, and is tried again soon", () => {
    const ends = { ...besides, ends: true };
    const converging = { wanted: "w", reported: "r" };
    const before = state({ tracks: { [OLD]: servingTrack() }, intent: { ...intent(NEXT), besides: ends }, converging });
    const found = fold(fold(before, [old]), [old, next]);
    expect(found).toMatchObject({
      surge: { old: ends, newId: NEXT },
      replacements: [{ at: NOW, revision: "contract end" }],
      converging,
    });
    const failed = fold(found, [old], NOW + 2 * MINUTE);
    expect(failed).toMatchObject({ surge: null, replacements: [], converging });
    expect(failed.heldReplacement).toMatchObject({ reason: "update_failed", until: NOW + 2.5 * MINUTE });
  });

  test("is not over by an empty list or by a list of one known instance", () => {
    expect(fold(both, []).surge).not.toBeNull();
    const partial = { partial: { message: "HTTP 502", account: null } };
    expect(fold(both, [old], NOW + MINUTE, partial).surge).not.toBeNull();
  });
});
