import { describe, expect, test } from "vitest";
import { countRecords, NO_RECORDS, type RecordInput, type RecordState } from "../../../../provisioner/state/records.ts";
import type { Instance } from "../../../../provisioner/vast/rows.ts";
import { HOUR, MINUTE, NOW, observation, row, SECOND, servingTrack, tracks, waitingTrack } from "../plan/situation.ts";

const { id: ID, hostId, machineId } = row();
const HOST = `h${hostId}`;
const MACHINE = `m${machineId}`;

interface Look extends Partial<RecordInput> {
  rows?: readonly Instance[];
  /** After NOW. */
  at: number;
}

const counted = (looks: readonly Look[], before: RecordState = NO_RECORDS) =>
  looks.reduce<RecordState>((records, { rows = [started], at, ...more }) => {
    const input = { seen: observation(rows), tracks: {}, pendingDeletes: [], now: NOW + at, shared: true, ...more };
    return countRecords(records, input);
  }, before);

const started = row({ createdAt: NOW });
const starting = { tracks: tracks(ID, waitingTrack(0)) };
const serving = { tracks: tracks(ID, servingTrack({ firstSeenAt: NOW })) };
const destroyedFor = (reason: string) => ({ pendingDeletes: [{ id: ID, reason, since: NOW, deleteSentAt: NOW }] });

describe("the records of a machine and its host", () => {
  test("count an instance that came up, and how long that took", () => {
    const { own, unsent } = counted([
      { at: 0, ...starting },
      { at: 4 * MINUTE, ...serving },
      { at: 5 * MINUTE, ...serving },
    ]);
    const record = { boots: 1, readyMs: 4 * MINUTE, failures: 0, ends: 0, servedMs: 0 };
    expect(own).toEqual({ all: record, [HOST]: record, [MACHINE]: record });
    expect(unsent).toEqual(own);
  });

  test("do not count the boot of an instance that was found running", () => {
    const found = row({ createdAt: NOW - HOUR });
    expect(counted([{ at: 0, rows: [found], ...serving }]).own).toEqual({});
  });

  test.each(["start_timeout", "host_failed", "instance_exited"])(
    "count %s before it ever served as a failed start",
    (reason) => {
      const { own } = counted([
        { at: 0, ...starting },
        { at: MINUTE, ...destroyedFor(reason) },
      ]);
      expect(own[MACHINE]).toMatchObject({ boots: 0, failures: 1, ends: 0 });
    },
  );

  test.each(["instance_offline", "unreachable", "too_many_restarts"])(
    "count %s after it had served as an end",
    (reason) => {
      const { own } = counted([
        { at: 0, ...starting },
        { at: 1, ...serving },
        { at: MINUTE, ...destroyedFor(reason) },
      ]);
      expect(own[HOST]).toMatchObject({ boots: 1, failures: 0, ends: 1 });
    },
  );

  test.each(["image_changed", "duplicate", "operator", "app_not_listening", "image_unavailable"])(
    "put %s down to nobody's machine",
    (reason) => {
      const { own } = counted([
        { at: 0, ...starting },
        { at: 1, ...serving },
        { at: MINUTE, ...destroyedFor(reason) },
      ]);
      expect(own[MACHINE]).toMatchObject({ boots: 1, failures: 0, ends: 0 });
    },
  );

  test("count an end once, although the instance is still listed", () => {
    const ending = { ...serving, ...destroyedFor("unreachable") };
    const { own } = counted([
      { at: 0, ...starting },
      { at: 1, ...serving },
      { at: 2, ...ending },
      { at: 3, ...ending },
    ]);
    expect(own[MACHINE]?.ends).toBe(1);
  });

  test("add the time that it served every hour and at its end, without the time in which nobody looked", () => {
    const looks = Array.from({ length: 181 }, (_, i) => ({ at: i * 30 * SECOND, ...serving }));
    const hour = counted([{ at: 0, ...starting }, ...looks]);
    expect(hour.own[MACHINE]?.servedMs).toBe(HOUR);
    const end = counted(
      [
        { at: 180 * 30 * SECOND + 9 * HOUR, ...serving },
        { at: 11 * HOUR, rows: [] },
      ],
      hour,
    );
    expect(end.own[MACHINE]?.servedMs).toBe(90 * MINUTE + MINUTE);
    expect(end.instances).toEqual({});
  });

  test("keep what they have while the list is unknown", () => {
    const before = counted([{ at: 0, ...starting }]);
    const unknown = observation([], { list: { known: false, why: { message: "HTTP 502", account: null } } });
    expect(counted([{ at: 1, seen: unknown }], before)).toBe(before);
  });

  test("are sent nowhere without a fleet", () => {
    const { own, unsent } = counted([
      { at: 0, ...starting, shared: false },
      { at: 1, ...serving, shared: false },
    ]);
    expect(Object.keys(own)).toHaveLength(3);
    expect(unsent).toEqual({});
  });

  test("are at most a hundred: those that changed last, and the sum of all", () => {
    let records = NO_RECORDS;
    for (let i = 1; i <= 80; i += 1) {
      const one = row({ createdAt: NOW, hostId: i, machineId: 1000 + i });
      records = counted(
        [
          { at: 0, rows: [one], ...starting },
          { at: 1, rows: [one], ...serving },
          { at: 2, rows: [] },
        ],
        records,
      );
    }
    expect(Object.keys(records.own)).toHaveLength(101);
    expect(records.own.h30).toBeUndefined();
    expect(records.own.m1080?.boots).toBe(1);
    expect(records.own.all?.boots).toBe(80);
  });
});
