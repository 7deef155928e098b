import { expect, test } from "vitest";
import { noPodTurns } from "../../../../provisioner/fleet/pod-turns.ts";
import { noLease } from "../../../../provisioner/lease/lease.ts";
import { known } from "../../../../provisioner/model/observation.ts";
import type { Listed, ListReader } from "../../../../provisioner/observe/list-reader.ts";
import { unknownBecause } from "../../../../provisioner/observe/unknown.ts";
import { destroyAll } from "../../../../provisioner/teardown/destroy-all.ts";
import { type EndCalls, ownEndCalls, sharedEndCalls } from "../../../../provisioner/teardown/end-calls.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { fakeClient, fakeDisk, fakeLog, type Journal, vastError } from "../fakes.ts";
import { LABEL, NOW, row, SECOND, state } from "../plan/situation.ts";

const never = new AbortController().signal;
const rows = [row({ id: 1 })];

/** Lists with these answers, the last of them again and again. */
function sharedWith(...answers: ((now: number) => Listed | null)[]) {
  const clock = fakeClock(NOW);
  const left = [...answers];
  const lists: ListReader = {
    begin: async () => undefined,
    next: async () => (left.length > 1 ? left.shift() : left[0])?.(clock.now()) ?? null,
    again: async () => null,
    wakeAt: (_last, _urgency, wantedAt) => wantedAt,
    templateIsNeeded: () => true,
  };
  return { clock, calls: sharedEndCalls({ lists, turns: noPodTurns, clock }) };
}

test.each<[string, (now: number) => Listed | null, string]>([
  ["was asked for before", (now) => ({ listedAt: now - 1, shared: true, list: known(rows) }), "it is being read"],
  ["did not come", () => null, "it is being read"],
  [
    "is only one row",
    (now) => ({ listedAt: now, list: known(rows), partial: { message: "cut", account: null } }),
    "it is being read",
  ],
  [
    "is unknown",
    (now) => ({ listedAt: now, list: unknownBecause("no pod has read it lately") }),
    "no pod has read it lately",
  ],
])("a shared list that %s proves nothing at an ordered end", async (_, listed, message) => {
  const { calls } = sharedWith(listed);
  expect(await calls.list(never)).toEqual({ message, account: null });
});

test("by a shared list an instance is destroyed within twenty seconds, by an own one at any time", async () => {
  const { clock, calls } = sharedWith((now) => ({ listedAt: now + 1, shared: true, list: known(rows) }));
  const shared = await calls.list(never);
  const own = await ownEndCalls(fakeClient([], { rows: () => rows }), LABEL).list(never);
  if (!("rows" in shared) || !("rows" in own)) throw new Error("no list");
  expect(shared.rows).toEqual(rows);
  await clock.advance(20 * SECOND);
  expect(shared.mayDecide()).toBe(true);
  await clock.advance(2);
  expect(shared.mayDecide()).toBe(false);
  expect(own.mayDecide()).toBe(true);
});

test("an own list that fails says why", async () => {
  const client = fakeClient([], {
    rows() {
      throw vastError("unavailable");
    },
  });
  expect(await ownEndCalls(client, LABEL).list(never)).toMatchObject({
    message: expect.stringContaining("it said so"),
  });
});

/** An ordered end that hears in turn how many destroys of other pods go before, 9 s for each answer. So many of its destroys fail. */
async function endInTurn(ahead: number[], { listed = rows, failures = 0 } = {}) {
  const journal: Journal = [];
  const printed: string[] = [];
  const clock = fakeClock(NOW);
  let left: readonly Instance[] = listed;
  let failed = 0;
  const client = fakeClient(journal, {
    destroy(id) {
      failed += 1;
      if (failed <= failures) throw vastError("unavailable");
      left = left.filter((one) => one.id !== id);
    },
  });
  const calls: EndCalls = {
    queue: async () => void journal.push("queue"),
    async list() {
      journal.push("list");
      const listedAt = clock.now();
      return { rows: left, mayDecide: () => clock.now() - listedAt <= 20 * SECOND };
    },
    async untilNear() {
      const before = ahead.shift() ?? 0;
      if (before > 0) await clock.sleep(9 * SECOND);
      return before;
    },
    leave: async () => void journal.push("leave"),
  };
  const outcome = await clock.drive(
    destroyAll({
      client,
      calls,
      clock,
      log: fakeLog().log,
      label: LABEL,
      lease: noLease,
      adoptsAll: true,
      timeLeftMs: () => NOW + 100 * SECOND - clock.monotonic(),
      load: async () => state({}),
      save: fakeDisk([]).save,
      provisionerRuns: async () => "no",
      confirm: async () => true,
      print: (text) => void printed.push(text),
    }),
  );
  return { outcome, journal, printed };
}

test("an ordered end queues while its first list is read, destroys by that list when its turn is near, and leaves the queue", async () => {
  const { outcome, journal } = await endInTurn([1]);
  expect(outcome).toMatchObject({ done: true, gone: [1] });
  expect(journal.slice(0, 2).toSorted()).toEqual(["list", "queue"]);
  expect(journal.slice(2)).toEqual(["destroy 1", "leave", "list", "leave"]);
});

test("an ordered end without an instance leaves the queue", async () => {
  const { outcome, journal } = await endInTurn([], { listed: [] });
  expect(outcome).toMatchObject({ done: true, gone: [] });
  expect(journal.at(-1)).toBe("leave");
});

test("an ordered end keeps its place for a second instance, and gives it up when a destroy has failed", async () => {
  const listed = [...rows, row({ id: 2 })];
  const [kept, failing] = [await endInTurn([], { listed }), await endInTurn([], { listed, failures: 1 })];
  expect(kept.journal.slice(2)).toEqual(["destroy 1", "destroy 2", "leave", "list", "leave"]);
  const again = ["destroy 1", "destroy 2", "leave", "list", "destroy 1", "leave", "list", "leave"];
  expect(failing.journal.slice(2)).toEqual(again);
  expect(failing.outcome).toMatchObject({ done: true, gone: [1, 2] });
});

test("an ordered end that has waited for others lists again before its destroy, and not meanwhile", async () => {
  const { outcome, journal, printed } = await endInTurn([7, 5, 3]);
  expect(outcome).toMatchObject({ done: true, gone: [1] });
  expect(journal.slice(2)).toEqual(["list", "destroy 1", "leave", "list", "leave"]);
  expect(printed[0]).toContain("7 destroys of other pods");
});
