import { describe, expect, test } from "vitest";
import {
  afterAnswer,
  afterRefusal,
  firstCreateSlot,
  firstObservation,
  nextCreateSlot,
  nextTemplate,
  nextWhileReady,
  nextWhileStarting,
  type Polling,
  pollSlotOf,
  startPolling,
} from "../../../../provisioner/observe/poll-schedule.ts";
import { NOW, SECOND } from "../plan/situation.ts";

const ROUND = 17 * SECOND;
const CREATE_ROUND = 3 * ROUND;
const pods = Array.from({ length: 10 }, (_, i) => pollSlotOf(`vast-pod-${i}`));
const first = pollSlotOf("vast-pod-0");
const third = pollSlotOf("vast-pod-3");
const half = () => 0.5;
const times = (n: number, step: (polling: Polling) => Polling, polling: Polling) => {
  let next = polling;
  for (let i = 0; i < n; i += 1) next = step(next);
  return next;
};
const refusedBy = (n: number, polling: Polling) => times(n, (p) => afterRefusal(p, third, half), polling);

describe("a pod's slot index", () => {
  test("is its number in its StatefulSet", () => {
    expect(pollSlotOf("vast-pod-12")).toEqual({ index: 12, numbered: true });
    expect(pollSlotOf("web-0")).toEqual({ index: 0, numbered: true });
  });

  test("is a hash of its name when the name has no number", () => {
    expect(pollSlotOf("vast-7c9fd-x2x4z")).toEqual(pollSlotOf("vast-7c9fd-x2x4z"));
    const indices = Array.from({ length: 100 }, (_, i) => pollSlotOf(`pod-x${i}y`).index);
    expect(new Set(indices).size).toBe(10);
    expect(Math.max(...indices)).toBe(9);
  });
});

describe("ten pods that start together", () => {
  test("observe for the first time at least 1.3 s apart", () => {
    const instants = pods
      .slice(1)
      .map((slot) => firstObservation(slot, NOW))
      .sort((a, b) => a - b);
    for (const [i, at] of instants.slice(1).entries()) expect(at - (instants[i] ?? 0)).toBeGreaterThanOrEqual(1300);
    expect((instants.at(-1) ?? 0) - NOW).toBeLessThan(ROUND);
  });

  test("have create slots 5 s apart within one create round, whenever each of them started", () => {
    const slots = pods
      .slice(1)
      .map((slot, i) => firstCreateSlot(slot, NOW + 500 * i, false))
      .sort((a, b) => a - b);
    for (const [i, at] of slots.slice(1).entries()) expect(at - (slots[i] ?? 0)).toBeGreaterThanOrEqual(5000);
    expect((slots.at(-1) ?? 0) - NOW).toBeLessThan(CREATE_ROUND + 12 * SECOND);
  });

  test("leave the first of them enough time to create before them", () => {
    const go = firstCreateSlot(first, NOW, true);
    expect(go - NOW).toBeLessThan(2200);
    for (const slot of pods.slice(1)) expect(firstCreateSlot(slot, NOW, false) - go).toBeGreaterThan(3800);
  });

  test("list in their own slots in every round, ready or not", () => {
    const slots = (next: (polling: Polling, requestedAt: number) => number) =>
      new Set(pods.map((slot) => next(refusedBy(0, { ...startPolling(third, true), ...slowest(slot) }), NOW) % ROUND));
    const slowest = (slot: (typeof pods)[number]) => ({ level: 3, phaseMs: startPolling(slot, true).phaseMs });
    expect(slots(nextWhileStarting).size).toBe(10);
    expect(slots(nextWhileReady).size).toBe(10);
  });

  test("read the template at different instants", () => {
    expect(new Set(pods.map((slot) => nextTemplate(slot, NOW) % CREATE_ROUND)).size).toBe(10);
    for (const slot of pods) expect(nextTemplate(slot, NOW) - NOW).toBeLessThanOrEqual(61 * SECOND);
  });
});

describe("an eleventh pod", () => {
  test("has its create slot one create round after the first pod with the same slot", () => {
    expect(firstCreateSlot(pollSlotOf("p-13"), NOW, false) - firstCreateSlot(third, NOW, false)).toBe(CREATE_ROUND);
  });

  test("never waits more than two more create rounds", () => {
    expect(firstCreateSlot(pollSlotOf("p-93"), NOW, false) - firstCreateSlot(third, NOW, false)).toBe(2 * CREATE_ROUND);
  });
});

describe("a rate-limited create", () => {
  test("is retried in a create slot of this pod", () => {
    const at = nextCreateSlot(third, NOW, half);
    expect(nextCreateSlot(third, at, half)).toBe(at);
    expect(nextCreateSlot(third, at + 1, half)).toBe(at + CREATE_ROUND);
  });

  test("is retried at a random time of a create round when the pod has no number", () => {
    const slot = { index: 3, numbered: false };
    expect([nextCreateSlot(slot, NOW, () => 0), nextCreateSlot(slot, NOW, half)]).toEqual([
      NOW,
      NOW + CREATE_ROUND / 2,
    ]);
  });
});

describe("how often the list is requested while something comes up", () => {
  const gap = (polling: Polling) => {
    const once = nextWhileStarting(polling, NOW);
    return nextWhileStarting(polling, once) - once;
  };

  test("every two seconds or so at first, half as often after each 429, and never less than once in 17 s", () => {
    const start = startPolling(third, false);
    const gaps = [0, 1, 2, 3, 4, 9].map((n) => gap({ ...refusedBy(n, start), phaseMs: start.phaseMs }));
    for (const [i, about] of [1700, 3400, 8500, ROUND, ROUND, ROUND].entries())
      expect(Math.abs((gaps[i] ?? 0) - about)).toBeLessThanOrEqual(400);
  });

  test("one level faster after several answered calls, not after each", () => {
    const slow = refusedBy(1, startPolling(third, false));
    expect(slow.level).toBe(1);
    expect(times(slow.needed - 1, afterAnswer, slow).level).toBe(1);
    expect(times(slow.needed, afterAnswer, slow).level).toBe(0);
  });

  test("needs more answered calls after each refusal, up to a maximum", () => {
    const needed = [1, 2, 3, 20].map((n) => refusedBy(n, startPolling(third, false)).needed);
    expect(needed[1]).toBe(2 * (needed[0] ?? 0));
    expect(needed[3]).toBe(64);
  });

  test("once per round from the start for pods that know of neighbours which may be starting as well", () => {
    expect(gap(startPolling(third, true))).toBe(ROUND);
    expect(startPolling(third, true).needed).toBeGreaterThan(startPolling(third, false).needed);
  });

  test("comes a little late in another pod's slot, so that the owner goes first", () => {
    const polling = startPolling(first, false);
    const own = Math.ceil(NOW / ROUND) * ROUND;
    expect(nextWhileStarting(polling, own - 1500)).toBe(own);
    expect(nextWhileStarting(polling, own) - own).toBe(1700 + 400);
  });
});

describe("a pod's slot", () => {
  const slowest = { ...startPolling(third, true), level: 3 };

  test("is kept by a pod with a number after one refusal, and changed after the second in a row", () => {
    expect(refusedBy(1, slowest).phaseMs).toBe(slowest.phaseMs);
    expect(refusedBy(2, slowest).phaseMs).toBe(8500);
    expect(afterRefusal(afterAnswer(refusedBy(1, slowest)), third, half).phaseMs).toBe(slowest.phaseMs);
  });

  test("is changed immediately by a pod without a number", () => {
    expect(afterRefusal(slowest, { index: 3, numbered: false }, half).phaseMs).toBe(8500);
  });

  test("is not changed by a refusal in another pod's slot", () => {
    expect(refusedBy(3, startPolling(third, false)).phaseMs).toBe(startPolling(third, false).phaseMs);
  });

  test("is used every second round, about twice a minute, while all is well", () => {
    const at = nextWhileReady(slowest, NOW);
    expect(nextWhileReady(slowest, at) - at).toBe(2 * ROUND);
    expect(at - NOW).toBeGreaterThanOrEqual(24 * SECOND);
  });
});
