import { expect, test } from "vitest";
import { NEW_IMAGE, type UpdatedRun, watchUpdate } from "../../bench/update-run.ts";
import { updateTable } from "../../bench/update-table.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const LABEL = "k8s_pod=vast-pod-0";
const open = Number.POSITIVE_INFINITY;
const paid = (before: number, after = 0) => ({ serving: 1, before, after });
type Pod = UpdatedRun["truth"]["pods"][number];

function runAt(now: number, serving: Pod["serving"], contracts: UpdatedRun["truth"]["contracts"], changes: string[]) {
  return { now, truth: { pods: [{ label: LABEL, serving }], contracts }, inject: () => void changes.push("image") };
}

test("an update begins when the instance has served for two minutes, and ends when only the new image is left and serves", () => {
  const [watch, changes]: [ReturnType<typeof watchUpdate>, string[]] = [watchUpdate(), []];
  const old = { from: 0, to: open, id: 1, shows: "example/app:1 a" };
  const one = { label: LABEL, endedAt: null, paid: paid(0.1) };
  expect(watch.look(runAt(MINUTE, [old], [one], changes))).toBe(false);
  expect(watch.look(runAt(2 * MINUTE, [old], [one], changes))).toBe(false);
  expect(changes).toEqual(["image"]);

  const away = { ...old, to: 2 * MINUTE + 5 * SECOND };
  const ended = { ...one, endedAt: 2 * MINUTE + 15 * SECOND, paid: paid(0.1, 0.02) };
  const foreign = { label: "other", endedAt: null, paid: paid(9) };
  const next = { label: LABEL, endedAt: null, paid: paid(0.03) };
  expect(watch.look(runAt(3 * MINUTE, [away], [ended, next, foreign], changes))).toBe(false);
  expect(watch.numbers()).toBeNull();

  const back = { from: 4 * MINUTE, to: open, id: 2, shows: `${NEW_IMAGE} a` };
  expect(watch.look(runAt(4 * MINUTE, [away, back], [one, next], changes))).toBe(false);
  expect(watch.look(runAt(4 * MINUTE + SECOND, [away, back], [ended, next, foreign], changes))).toBe(true);
  expect(changes).toEqual(["image"]);
  expect(watch.numbers()).toEqual({ unserved: 115, took: 121, idleDollars: expect.closeTo(0.05, 9) });
});

test("a strategy is a row, with how many of its updates were over in time", () => {
  const updates = [1, 2, 3].map((n) => ({ unserved: n * 10, took: n * 20, idleDollars: n / 10 }));
  const [, , whole, part] = updateTable([
    { strategy: "surge", updates },
    { strategy: "recreate", updates: [...updates, null] },
  ]);
  expect(whole).toBe("| surge | 3 | 20 s | 30 s | 30 s | 40 s | $0.2000 | $0.3000 |");
  expect(part).toMatch(/^\| recreate \| 3 of 4 \|/);
});
