import { expect, test } from "vitest";
import { deleteConfirmed, deleteRefused, deleteUnanswered } from "../../../../provisioner/state/apply-outcome.ts";
import { deleteDueAt, type PendingDelete } from "../../../../provisioner/state/pending-delete.ts";
import type { State } from "../../../../provisioner/state/schema.ts";
import { withoutRefusedDelete } from "../../../../provisioner/state/undo-delete.ts";
import { NOW, SECOND, state } from "../plan/situation.ts";

const ID = 7;
const NEW: PendingDelete = { id: ID, reason: "instance_lost", since: NOW, deleteSentAt: null };
const before = state({ pendingDeletes: [{ ...NEW, id: 1 }, NEW] });
const own = ({ pendingDeletes }: State) => pendingDeletes.find(({ id }) => id === ID) ?? NEW;
const waitAfter = (next: State) => (deleteDueAt(own(next)) - NOW) / SECOND;
/** What is waited after each of `times` outcomes in a row. */
const waits = (outcome: typeof deleteRefused, times: number) => {
  let next = before;
  return Array.from({ length: times }, () => {
    next = outcome(next, ID, NOW);
    return waitAfter(next);
  });
};

test("a DELETE without a clear answer is sent again after 5, 10, 20, 40 and 60 s", () => {
  expect(waits(deleteUnanswered, 6)).toEqual([5, 10, 20, 40, 60, 60]);
});

test("one that was accepted is sent again after 60 s, whatever came before", () => {
  expect(waitAfter(deleteConfirmed(before, ID, NOW))).toBe(60);
  expect(waitAfter(deleteConfirmed(deleteUnanswered(before, ID, NOW - SECOND), ID, NOW))).toBe(60);
});

test("one that the API refuses is sent again after 30 s, and then ever later, at least every 4 min", () => {
  expect(waits(deleteRefused, 6)).toEqual([30, 60, 120, 240, 240, 240]);
  const answered = deleteUnanswered(deleteRefused(before, ID, NOW - SECOND), ID, NOW);
  expect(waitAfter(answered)).toBe(5);
});

test("an outcome counts for its instance only, and one that was never sent is due at once", () => {
  const [other] = deleteUnanswered(before, ID, NOW).pendingDeletes;
  expect(other).toEqual({ ...NEW, id: 1 });
  expect(deleteDueAt({ ...NEW, id: 1 })).toBe(0);
});

test("a state of an earlier version waits a minute", () => {
  expect(deleteDueAt({ ...NEW, deleteSentAt: NOW })).toBe(NOW + 60 * SECOND);
});

test("a refusal is no sending: what a DELETE without an answer may still do is waited for from when that was sent", () => {
  const sent = deleteUnanswered(before, ID, NOW - 59 * SECOND);
  expect(own(deleteRefused(sent, ID, NOW)).deleteSentAt).toBe(NOW - 59 * SECOND);
  expect(withoutRefusedDelete(sent, ID, NOW)).toBe(sent);
  expect(withoutRefusedDelete(sent, ID, NOW + SECOND).pendingDeletes.map(({ id }) => id)).toEqual([1]);
});
