import { describe, expect, test } from "vitest";
import {
  afterListRequest,
  type ListOutcome,
  type ListSchedule,
  listDueAt,
  startListSchedule,
  templateIsNeeded,
  wakesForList,
} from "../../../../provisioner/observe/list-schedule.ts";
import { pollSlotOf } from "../../../../provisioner/observe/poll-schedule.ts";
import { MINUTE, NOW, SECOND } from "../plan/situation.ts";

const ROUND = 17 * SECOND;
const first = pollSlotOf("vast-pod-0");
const third = pollSlotOf("vast-pod-3");
const half = () => 0.5;
const always = () => 0;
const WAIT = 10 * SECOND;

const started = (firstRun = false, slot = third) => startListSchedule(slot, firstRun, WAIT);
const requested = (schedule: ListSchedule, outcome: ListOutcome, at = NOW) =>
  afterListRequest({ ...schedule, requestedAt: at }, outcome, half);
const empty: ListOutcome = { kind: "answered", rows: 0 };
const refused: ListOutcome = { kind: "rate_limited", keepsLast: false };

describe("the next list", () => {
  const { schedule } = requested(started(), { kind: "answered", rows: 1 });

  test("is due in the pod's slot about every half minute while all is well", () => {
    const dueAt = listDueAt(schedule, "ready", true, always, NOW);
    expect(dueAt - NOW).toBeGreaterThanOrEqual(24 * SECOND);
    expect(dueAt - NOW).toBeLessThan(24 * SECOND + ROUND);
  });

  test("is due within seconds while something comes up, or after an unknown list", () => {
    expect(listDueAt(schedule, "starting", true, always, NOW) - NOW).toBeLessThan(4 * SECOND);
    expect(listDueAt(schedule, "ready", false, always, NOW) - NOW).toBeLessThan(4 * SECOND);
  });

  test("is due immediately before a change", () => {
    expect(listDueAt(schedule, "now", true, always, NOW)).toBe(0);
  });

  test("waits for the rate limit, but before a change only when a pass could not wait for it", () => {
    const later = NOW + MINUTE;
    expect(listDueAt(schedule, "ready", true, () => later, NOW)).toBe(later);
    expect(listDueAt(schedule, "starting", true, () => later, NOW)).toBe(later);
    expect(listDueAt(schedule, "now", true, () => later, NOW)).toBe(later);
    expect(listDueAt(schedule, "now", true, () => NOW + 10 * SECOND, NOW)).toBe(0);
  });

  test("wakes the pod early, except while it is blocked and polls in every slot", () => {
    expect(wakesForList(schedule, "ready", NOW + MINUTE, NOW)).toBe(true);
    expect(wakesForList(schedule, "starting", NOW + MINUTE, NOW)).toBe(false);
    expect(wakesForList(schedule, "starting", NOW + SECOND, NOW)).toBe(true);
    expect(wakesForList(started(true), "starting", NOW + MINUTE, NOW)).toBe(true);
  });
});

describe("an outcome", () => {
  test("that is a failure changes nothing", () => {
    const schedule = { ...started(), requestedAt: NOW };
    expect(afterListRequest(schedule, { kind: "failed" }, half)).toEqual({ schedule, blockCreateUntil: null });
  });

  test("that is a refusal makes the list less frequent", () => {
    const schedule = started();
    expect(requested(schedule, refused).schedule.polling.level).toBe(schedule.polling.level + 1);
  });

  test("does not change the schedule that was passed in", () => {
    const schedule = Object.freeze({ ...started(true), polling: Object.freeze(started(true).polling) });
    requested(schedule, empty);
    requested(schedule, refused);
    expect(schedule).toEqual(started(true));
  });
});

describe("the first run of a pod", () => {
  test("does not need the template before its create slot has come", () => {
    const schedule = started(true);
    expect(templateIsNeeded(schedule)).toBe(false);
    const waiting = requested(schedule, empty).schedule;
    expect(templateIsNeeded(waiting)).toBe(false);
    const { createSlotAt } = waiting;
    expect(templateIsNeeded(requested(waiting, empty, createSlotAt ?? 0).schedule)).toBe(true);
  });

  test("lists again in its create slot, after the wait that confirms an empty list", () => {
    const { createSlotAt } = requested(started(true), empty).schedule;
    expect(createSlotAt).toBeGreaterThanOrEqual(NOW + WAIT);
    expect(listDueAt(requested(started(true), empty).schedule, "starting", true, always, NOW)).toBe(createSlotAt);
  });

  test("has no create slot when it finds its instance", () => {
    const { schedule, blockCreateUntil } = requested(started(true), { kind: "answered", rows: 1 });
    expect(schedule).toMatchObject({ awaitsFirstList: false, createSlotAt: null });
    expect(blockCreateUntil).toBeNull();
  });

  test("still waits for its first list after a failure or a refusal", () => {
    for (const outcome of [{ kind: "failed" } as const, refused])
      expect(requested(started(true), outcome).schedule).toMatchObject({ awaitsFirstList: true, createSlotAt: null });
  });

  test("delays its create within the create slot, unless the pod is alone", () => {
    const waiting = requested(started(true), empty).schedule;
    const at = waiting.createSlotAt ?? 0;
    expect(requested(waiting, empty, at).blockCreateUntil).toBe(at + 2 * SECOND);
    const alone = requested(started(true, first), empty).schedule;
    expect(requested(alone, empty, alone.createSlotAt ?? 0).blockCreateUntil).toBeNull();
  });

  test("moves to its next create slot when the list of the slot is refused", () => {
    const waiting = requested(started(true), empty).schedule;
    const at = waiting.createSlotAt ?? 0;
    const { schedule, blockCreateUntil } = requested(waiting, { kind: "rate_limited", keepsLast: true }, at);
    expect(schedule.createSlotAt).toBe(at + 3 * ROUND);
    expect(blockCreateUntil).toBeNull();
  });

  test("counts other pods as starting too after its first refusal", () => {
    const schedule = started(true, first);
    expect(schedule.alone).toBe(true);
    const after = requested(schedule, refused).schedule;
    expect(after.alone).toBe(false);
    expect(after.polling.level).toBe(started(true, third).polling.level);
    expect(requested(started(false, first), refused).schedule.polling.level).toBe(1);
  });
});
