import { expect, test } from "vitest";
import type { PendingDelete } from "../../../../provisioner/state/pending-delete.ts";
import type { State } from "../../../../provisioner/state/schema.ts";
import { withoutRefusedDelete } from "../../../../provisioner/state/undo-delete.ts";
import { MINUTE, NOW, SECOND, servingTrack, state } from "../plan/situation.ts";

const ID = 7835610;
const PENDING: PendingDelete = {
  id: ID,
  reason: "instance_lost",
  since: NOW - 5 * MINUTE,
  deleteSentAt: NOW - 2 * MINUTE,
};
const given = (pending: Partial<PendingDelete> = {}, more: Partial<State> = {}) =>
  state({
    pendingDeletes: [
      { ...PENDING, id: 1 },
      { ...PENDING, ...pending },
    ],
    ...more,
  });
const left = (before: State) => withoutRefusedDelete(before, ID, NOW).pendingDeletes.map(({ id }) => id);

test("a delete that was refused is not pending any more, and others are", () => {
  expect(left(given())).toEqual([1]);
  expect(left(given({ deleteSentAt: null }))).toEqual([1]);
});

test.each<[string, State]>([
  ["its last DELETE without an answer may still take effect", given({ deleteSentAt: NOW - 59 * SECOND })],
  ["the API has said that it is destroyed", given({ deleteConfirmed: true })],
  ["it was never listed", given({ reason: "create_never_appeared" })],
  ["an operator ordered it", given({ reason: "operator" })],
  ["another instance is there", given({}, { tracks: { 2: servingTrack() } })],
])("it stays pending when %s", (_, before) => {
  expect(withoutRefusedDelete(before, ID, NOW)).toBe(before);
});

test("it stays pending while a create is open", () => {
  const intent = { offerId: 5, machineId: null, hostId: null, startedAt: NOW, contract: null };
  const before = given();
  const open = { ...before, intent: { ...before.intent, ...intent } } as State;
  expect(withoutRefusedDelete(open, ID, NOW)).toBe(open);
});

test("a contract for whose end it was to be replaced counts as not replaced, and nothing is said of image and template", () => {
  const converging = { wanted: "image b", reported: "image a" };
  const replacements = [{ at: PENDING.since + SECOND, revision: "contract end" }];
  const next = withoutRefusedDelete(given({ reason: "contract_ending" }, { converging, replacements }), ID, NOW);
  expect(next).toMatchObject({ converging, replacements: [] });
});

test("a difference for which it was to be replaced counts as not replaced", () => {
  const earlier = { at: NOW - 30 * MINUTE, revision: "a" };
  const converging = { wanted: "image b", reported: "image a" };
  const replacements = [earlier, { at: PENDING.since + SECOND, revision: "b" }];
  const next = withoutRefusedDelete(given({ reason: "image_changed" }, { converging, replacements }), ID, NOW);
  expect(next).toMatchObject({ converging: null, replacements: [earlier] });
  const other = withoutRefusedDelete(given({}, { converging, replacements }), ID, NOW);
  expect(other).toMatchObject({ converging, replacements });
});
