// The law of an ordered end on random faults: while there is time it is carried through, and what is left is named.
import fc from "fast-check";
import { expect, test } from "vitest";
import { noLease } from "../../../../provisioner/lease/lease.ts";
import { destroyAll } from "../../../../provisioner/teardown/destroy-all.ts";
import { ownEndCalls } from "../../../../provisioner/teardown/end-calls.ts";
import type { VastErrorKind } from "../../../../provisioner/vast/errors.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { fakeClient, fakeDisk, fakeLog, vastError } from "../fakes.ts";
import { LABEL, NOW, row, SECOND, state } from "../plan/situation.ts";

const LIMIT = 100 * SECOND;
const NEVER_LISTED = 42;

/** A call fails in this way; `took effect` only matters to a destroy. */
const failure = fc.record({
  kind: fc.constantFrom<VastErrorKind>("unavailable", "malformed", "rate_limited", "auth", "no_credit", "invalid"),
  tookEffect: fc.boolean(),
});
const fate = fc.oneof({ weight: 1, arbitrary: fc.constant(null) }, { weight: 3, arbitrary: failure });

/** `late` appears by itself, as the instance of a create without an answer does; the last fates are repeated for ever. */
const world = fc.record({
  listed: fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { maxLength: 4 }),
  create: fc.constantFrom("none", "unknown", "contract"),
  lateAtMs: fc.integer({ min: 0, max: 30 * SECOND }),
  lists: fc.array(fate, { maxLength: 8 }),
  destroys: fc.array(fate, { maxLength: 8 }),
  forEver: fc.constantFrom("works", "works", "no lists", "no destroys"),
  lingersMs: fc.integer({ min: 0, max: 30 * SECOND }),
  diskFull: fc.boolean(),
});

test("an ordered end is carried through while there is time, and whatever is left is named", async () => {
  await fc.assert(
    fc.asyncProperty(world, async (w) => {
      const clock = fakeClock(NOW);
      const endedAt = new Map<number, number>();
      const live = (id: number) => !endedAt.has(id);
      const contracts = [...w.listed, ...(w.create === "contract" ? [NEVER_LISTED] : [])];
      const lateId = 9;
      const made = () => [...contracts, ...(w.create === "unknown" && clock.now() >= NOW + w.lateAtMs ? [lateId] : [])];
      const isShown = (id: number) => id !== NEVER_LISTED && clock.now() < (endedAt.get(id) ?? Infinity) + w.lingersMs;
      const next = (fates: typeof w.lists, ends: boolean) =>
        fates.length > 0 ? fates.shift() : ends ? { kind: "unavailable" as const, tookEffect: false } : null;
      const [lists, destroys] = [[...w.lists], [...w.destroys]];
      const client = fakeClient([], {
        rows(): Instance[] {
          const failed = next(lists, w.forEver === "no lists");
          if (failed) throw vastError(failed.kind);
          return made()
            .filter(isShown)
            .map((id) => row({ id }));
        },
        destroy(id) {
          expect(made()).toContain(id);
          const failed = next(destroys, w.forEver === "no destroys");
          if ((!failed || failed.tookEffect) && live(id)) endedAt.set(id, clock.now());
          if (failed) throw vastError(failed.kind);
        },
      });
      const disk = fakeDisk([]);
      disk.full = w.diskFull;
      const intent = {
        offerId: 1,
        hostId: 2,
        machineId: 3,
        dollarsPerHour: 0.3,
        label: LABEL,
        startedAt: NOW - 60 * SECOND,
        contract: w.create === "contract" ? NEVER_LISTED : null,
      };
      const outcome = await clock.drive(
        destroyAll({
          client,
          calls: ownEndCalls(client, LABEL),
          clock,
          log: fakeLog().log,
          label: LABEL,
          lease: noLease,
          adoptsAll: true,
          timeLeftMs: () => NOW + LIMIT - clock.monotonic(),
          load: async () => state({ intent: w.create === "none" ? null : intent }),
          save: disk.save,
          provisionerRuns: async () => "no",
          confirm: async () => true,
          print: () => undefined,
        }),
      );
      const left = made().filter(live);
      expect(clock.now() - NOW).toBeLessThanOrEqual(LIMIT);
      expect(outcome.done).toBe(outcome.problem === null);
      if (w.forEver === "works") {
        expect(left).toEqual([]);
        expect(outcome).toMatchObject({ done: true, left: [] });
        if (!w.diskFull && outcome.gone.length > 0)
          expect(disk.saved.at(-1)).toMatchObject({ intent: null, pendingDeletes: [] });
      }
      if (left.length > 0) expect(outcome.done).toBe(false);
      // What was ever listed, or has a known contract, is named by its id.
      if (w.forEver === "no destroys")
        for (const id of left.filter((one) => one !== lateId)) expect(outcome.problem).toContain(`instance ${id} `);
    }),
    { numRuns: 300 },
  );
});
