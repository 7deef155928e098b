import { describe, expect, test } from "vitest";
import {
  afterAccount,
  afterBrokenPage,
  afterCounts,
  afterLabels,
  afterOne,
  type LeaderMemory,
  NEW_MEMORY,
  nextReading,
} from "../../../../provisioner/fleet/next-reading.ts";
import type { Lead } from "../../../../provisioner/fleet/snapshot.ts";
import type { VastError } from "../../../../provisioner/vast/errors.ts";
import type { ListsByLabel } from "../../../../provisioner/vast/instance-list.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import { vastError } from "../fakes.ts";
import { HOUR, MINUTE, row, SECOND } from "../plan/situation.ts";

const REDIS_NOW = 1_795_000_000_000;
const labels = (n: number, from = 0) => Array.from({ length: n }, (_, i) => `k8s_pod=pod-${from + i}`);
const dueAt = (names: readonly string[], at = REDIS_NOW) => names.map((label) => ({ label, dueAt: at }));
const lead = (next: Lead["next"] = [], dueCount = next.filter((one) => one.dueAt <= REDIS_NOW).length): Lead => ({
  now: REDIS_NOW,
  dueCount,
  next,
  all: [],
  hasTrouble: false,
});
const lists = (names: readonly string[], rowsOf: (label: string) => number = () => 1) =>
  new Map(
    names.map((label, i) => [
      label,
      Array.from({ length: rowsOf(label) }, (_, n) => row({ id: 10 * i + n + 1, label })),
    ]),
  );
const account = (rows: readonly Instance[]) => ({
  lists: new Map([A, B, "other", ""].map((label) => [label, rows.filter((one) => (one.label ?? "") === label)])),
  rows: rows.length,
});
const unreadable = vastError("malformed");
/** A leader that has counted once. */
const COUNTED: LeaderMemory = { ...NEW_MEMORY, counts: { which: "all", at: 0 } };
const counts = (...byLabel: [string, number][]) => ({ byLabel: new Map(byLabel), whole: null });
/** A leader that has read these labels, each with one running instance. */
const knowing = (names: readonly string[]): LeaderMemory =>
  afterLabels(COUNTED, { witness: null }, lists(names), 0).memory;
const [A = "", B = ""] = labels(2);

describe("the next reading", () => {
  test("of a new leader are counts of all, whatever is due", () => {
    expect(nextReading(NEW_MEMORY, lead(dueAt([A])), 0)).toEqual({ kind: "counts", which: "all" });
  });

  test("is none while nothing is due, and counts every 15 s, of all and of those that do not run", () => {
    const idle = lead(dueAt(labels(3), REDIS_NOW + MINUTE));
    expect(nextReading(COUNTED, idle, 14 * SECOND)).toBeNull();
    expect(nextReading(COUNTED, idle, 15 * SECOND)).toEqual({ kind: "counts", which: "not_running" });
    const { memory } = afterCounts(COUNTED, "not_running", null, [], 15 * SECOND);
    expect(nextReading(memory, idle, 29 * SECOND)).toBeNull();
    expect(nextReading(memory, idle, 30 * SECOND)).toEqual({ kind: "counts", which: "all" });
  });

  test("is of all instances in a small account, which shows those that do not run as well", () => {
    const small = { ...COUNTED, account: { rows: 25, at: 0 } };
    expect(nextReading(small, lead(), 15 * SECOND)).toEqual({ kind: "counts", which: "all" });
    expect(nextReading({ ...knowing([A]), account: small.account }, lead(dueAt([A])), 0)).toEqual({ kind: "account" });
  });

  test("has the labels for which pods wait before those that have changed", () => {
    const memory = { ...knowing(labels(40, 10)), changed: labels(30, 10) };
    const reading = nextReading(memory, lead(dueAt([A], REDIS_NOW - HOUR)), 0);
    expect(reading?.kind === "labels" && reading.labels.slice(0, 2)).toEqual([A, "k8s_pod=pod-10"]);
  });

  test("is a page of labels, those that are due next included", () => {
    const next = [...dueAt([A]), ...dueAt(labels(30, 1), REDIS_NOW + MINUTE)];
    const reading = nextReading(COUNTED, lead(next), 0);
    expect(reading).toEqual({ kind: "labels", labels: labels(24), witness: null });
  });

  test("has a label of which an instance is known, to see that the filter works", () => {
    const reading = nextReading(knowing([A, B]), lead(dueAt([A])), 0);
    expect(reading).toEqual({ kind: "labels", labels: [A, B], witness: B });
  });

  test("has no more labels than an address can hold", () => {
    const long = Array.from({ length: 25 }, (_, i) => `${i}`.padEnd(256, "x"));
    const reading = nextReading(COUNTED, lead(dueAt(long)), 0);
    expect(reading?.kind === "labels" && reading.labels.length).toBe(7);
    const one = nextReading(COUNTED, lead(dueAt(["y".repeat(3000)])), 0);
    expect(one?.kind === "labels" && one.labels).toHaveLength(1);
  });

  test("is the whole account where that shows more labels with fewer calls", () => {
    const small = { ...knowing([A]), account: { rows: 40, at: 0 } };
    expect(nextReading(small, lead(dueAt(labels(25)), 51), 10 * SECOND)).toEqual({ kind: "account" });
    expect(nextReading(small, lead(dueAt(labels(25)), 50), 10 * SECOND)).toMatchObject({ kind: "labels" });
    expect(nextReading(small, lead(dueAt(labels(25)), 51), 31 * SECOND)).toMatchObject({ kind: "labels" });
    const fresh = { ...COUNTED, account: { rows: 0, at: 0 } };
    expect(nextReading(fresh, lead(dueAt([A])), SECOND)).toEqual({ kind: "account" });
  });

  test("is one label alone, for the pod that waits, where the filter is not honoured and the account is large", () => {
    const ignored: LeaderMemory = {
      ...COUNTED,
      filter: { kind: "ignored", until: HOUR },
      account: { rows: 900, at: 0 },
    };
    const waiting = [...dueAt([A], REDIS_NOW - HOUR), ...dueAt([B])];
    expect(nextReading(ignored, lead(waiting), 0)).toEqual({ kind: "one", label: A });
    expect(nextReading(ignored, lead(dueAt([B])), 0)).toEqual({ kind: "account" });
    const wait = (count: number) => nextReading(ignored, lead(dueAt(labels(count), REDIS_NOW - HOUR)), 0);
    expect([wait(36), wait(37)]).toEqual([{ kind: "one", label: A }, { kind: "account" }]);
    expect(nextReading(ignored, lead(dueAt([B])), HOUR)).toMatchObject({ kind: "labels" });
  });
});

describe("an answer for labels", () => {
  test("is published with an empty list for each label that has none", () => {
    const answer = lists([A, B], (label) => (label === A ? 1 : 0));
    const { memory, publish } = afterLabels(COUNTED, { witness: null }, answer, 0);
    expect(publish).toBe(answer);
    expect(memory.filter).toEqual({ kind: "honoured", until: 10 * MINUTE });
  });

  test("without any instance proves nothing before the filter has been seen to work", () => {
    const { memory, publish } = afterLabels(
      COUNTED,
      { witness: null },
      lists([A, B], () => 0),
      0,
    );
    expect(publish).toBeNull();
    expect(nextReading(memory, lead(), 0)).toEqual({ kind: "account" });
  });

  test("without the instance that must be there proves nothing", () => {
    const { memory, publish } = afterLabels(
      knowing([A, B]),
      { witness: B },
      lists([A, B], () => 0),
      SECOND,
    );
    expect(publish).toBeNull();
    expect(nextReading(memory, lead(), SECOND)).toEqual({ kind: "account" });
    const shown = afterAccount(memory, account([row({ label: B })]), [A, B], 2 * SECOND);
    expect([...shown.publish]).toEqual([
      [A, []],
      [B, [row({ label: B })]],
    ]);
    const again = afterLabels(
      shown.memory,
      { witness: B },
      lists([A, B], () => 0),
      3 * SECOND,
    );
    expect(again).toMatchObject({ publish: null, memory: { filter: { kind: "ignored" } } });
  });

  test("without the instance that must be there is asked for it again when the account shows it, before any other", () => {
    const empty = lists([A, B], () => 0);
    const { memory } = afterLabels(knowing([A, B]), { witness: B }, empty, SECOND);
    const shown = afterAccount(memory, account([row({ label: A }), row({ id: 2, label: B })]), [A, B], 2 * SECOND);
    const next = nextReading({ ...shown.memory, account: null }, lead(dueAt([A])), 3 * SECOND);
    expect(next).toEqual({ kind: "labels", labels: [A, B], witness: B });
    const works = afterLabels(shown.memory, { witness: B }, lists([A, B]), 3 * SECOND);
    expect(works.memory).toMatchObject({ filter: { kind: "honoured" }, doubt: null });
  });

  test("without an instance that has ended meanwhile says nothing about the filter, however often", () => {
    const counted = afterCounts(NEW_MEMORY, "all", counts([A, 20], [B, 20]), [A, B], 0).memory;
    let memory = counted;
    for (const second of [1, 4, 7]) {
      const now = second * SECOND;
      memory = afterLabels(
        { ...memory, known: counted.known },
        { witness: B },
        lists([A, B], () => 0),
        now,
      ).memory;
      expect(memory).toMatchObject({ filter: null, readAccountNext: true });
      ({ memory } = afterAccount(memory, account([row({ label: A })]), [A, B], now + SECOND));
      expect(memory).toMatchObject({ filter: null, doubt: null });
    }
  });

  describe("with instances, but without the one that must be there", () => {
    const [C = ""] = labels(1, 2);
    const before: LeaderMemory = { ...knowing([A, B, C]), filter: { kind: "honoured", until: HOUR } };
    const once = afterLabels(
      before,
      { witness: B },
      lists([A, C, B], (label) => (label === A ? 1 : 0)),
      SECOND,
    );

    test("publishes what it shows only, and asks again with another one", () => {
      expect([...(once.publish ?? [])].map(([label]) => label)).toEqual([A]);
      expect(nextReading(once.memory, lead(dueAt([C])), 2 * SECOND)).toMatchObject({ kind: "labels", witness: A });
      const again = lists([C, A], (label) => (label === A ? 1 : 0));
      expect(afterLabels(once.memory, { witness: A }, again, 2 * SECOND).publish).toBe(again);
    });

    test("again has the whole account read", () => {
      const again = afterLabels(
        once.memory,
        { witness: A },
        lists([A, C, B], (label) => (label === B ? 1 : 0)),
        2 * SECOND,
      );
      expect([...(again.publish ?? [])].map(([label]) => label)).toEqual([B]);
      expect(nextReading(again.memory, lead(), 3 * SECOND)).toEqual({ kind: "account" });
    });
  });

  test("without any instance counts where none is known", () => {
    const none = afterLabels(
      knowing([A]),
      { witness: null },
      lists([A], () => 0),
      SECOND,
    );
    expect(none.publish?.get(A)).toEqual([]);
  });

  test("with other labels means that the filter is not honoured, and publishes nothing", () => {
    const { memory, publish } = afterLabels(COUNTED, { witness: null }, null, 0);
    expect(publish).toBeNull();
    expect(nextReading(memory, lead(), 0)).toEqual({ kind: "account" });
  });
});

describe("a row that cannot be read", () => {
  test("concerns its own label only, and shows that the filter works", () => {
    const answer: ListsByLabel = new Map<string, [] | VastError>([
      [A, []],
      [B, unreadable],
    ]);
    const { memory, publish } = afterLabels(COUNTED, { witness: null }, answer, 0);
    expect(publish).toBe(answer);
    expect(memory.filter).toEqual({ kind: "honoured", until: 10 * MINUTE });
    const shown = afterAccount(memory, { lists: answer, rows: 1 }, [A, B], 0);
    expect([...shown.publish]).toEqual([...answer]);
  });

  test("and does not show its label, has the labels of its page read one by one when that happens again", () => {
    const due = lead(dueAt([A, B]));
    const once = afterBrokenPage(COUNTED, [A, B], 0);
    expect(nextReading(once, due, SECOND)).toMatchObject({ kind: "labels", labels: [A, B] });
    const twice = afterBrokenPage(once, [A, B], 2 * SECOND);
    expect(nextReading(twice, due, 3 * SECOND)).toEqual({ kind: "one", label: A });
    expect(nextReading(twice, due, 62 * SECOND)).toMatchObject({ kind: "labels", labels: [A, B] });
    const good = afterOne(twice, A, [row({ label: A })], 4 * SECOND).memory;
    expect(nextReading(good, due, 5 * SECOND)).toEqual({ kind: "one", label: B });
    const { memory, publish } = afterOne(good, B, unreadable, 6 * SECOND);
    expect([...publish]).toEqual([[B, unreadable]]);
    expect(nextReading(memory, lead(dueAt([A])), MINUTE)).toMatchObject({ kind: "labels", labels: [A] });
    expect(nextReading(memory, due, MINUTE)).toEqual({ kind: "one", label: B });
    expect(nextReading(memory, due, 10 * MINUTE + 6 * SECOND)).toMatchObject({ kind: "labels", labels: [A, B] });
  });

  test("is not counted as two in a row when a page between them could be read", () => {
    const once = afterBrokenPage(COUNTED, [A, B], 0);
    const read = afterLabels(once, { witness: null }, lists([A, B]), SECOND).memory;
    const again = afterBrokenPage(read, [A, B], 2 * SECOND);
    expect(nextReading(again, lead(dueAt([A, B])), 3 * SECOND)).toMatchObject({ kind: "labels" });
  });
});

test("the whole account shows every pod's label, and foreign instances are left out", () => {
  const rows = [
    row({ id: 1, label: A }),
    row({ id: 2, label: A }),
    row({ id: 3, label: "other" }),
    row({ id: 4, label: null }),
  ];
  const { publish, memory } = afterAccount(COUNTED, account(rows), [A, B], 0);
  expect([...publish]).toEqual([
    [A, [row({ id: 1, label: A }), row({ id: 2, label: A })]],
    [B, []],
  ]);
  expect(memory.account).toEqual({ rows: 4, at: 0 });
});

describe("counts", () => {
  const memory = knowing([A, B]);

  test("that have changed make their labels due", () => {
    const changed = (which: "all" | "not_running", ...answer: [string, number][]) =>
      afterCounts(memory, which, counts(...answer), [A, B], 0).memory.changed;
    expect(changed("not_running", [B, 1], ["other", 3])).toEqual([B]);
    expect(changed("all", [A, 1])).toEqual([B]);
    expect(changed("all", [A, 1], [B, 1])).toEqual([]);
    const next = nextReading({ ...memory, changed: [B] }, lead(), SECOND);
    expect(next).toEqual({ kind: "labels", labels: [B, A], witness: A });
  });

  test("of a new leader make all labels due, and tell how large the account is and what the filter must find", () => {
    const { memory: first, publish } = afterCounts(NEW_MEMORY, "all", counts([A, 1], ["other", 30]), [A, B], 0);
    expect(publish).toBeNull();
    expect(first).toMatchObject({ account: { rows: 31, at: 0 }, changed: [A, B] });
    expect(nextReading(first, lead(), 0)).toEqual({ kind: "labels", labels: [A, B], witness: A });
    expect(afterCounts(first, "not_running", counts([A, 1]), [A, B], 0).memory.changed).toEqual([]);
  });

  test("with the whole account are a reading of it", () => {
    const rows = [row({ label: A })];
    const answer = { ...counts([A, 1]), whole: account(rows) };
    const { memory: after, publish } = afterCounts(NEW_MEMORY, "all", answer, [A, B], SECOND);
    expect([...(publish ?? [])]).toEqual([
      [A, rows],
      [B, []],
    ]);
    expect(after).toMatchObject({
      account: { rows: 1, at: SECOND },
      counts: { which: "all", at: SECOND },
      changed: [],
    });
  });

  test("of a small account that its page does not show whole lead to a reading by labels", () => {
    const { memory: after } = afterCounts(COUNTED, "all", counts([A, 1]), [A, B], 0);
    expect(nextReading(after, lead(dueAt([A])), SECOND)).toMatchObject({ kind: "labels" });
  });

  test("that an answer does not show say nothing", () => {
    expect(afterCounts(memory, "all", null, [A, B], 0).memory.changed).toEqual([]);
  });
});
