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
const TURNS = 3 * ROUND;
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

describe("a pod's place", () => {
  test("is its number in its StatefulSet", () => {
    expect(pollSlotOf("vast-pod-12")).toEqual({ index: 12, numbered: true });
    expect(pollSlotOf("web-0")).toEqual({ index: 0, numbered: true });
  });

  test("comes from its name where that has no number, always the same", () => {
    expect(pollSlotOf("vast-7c9fd-x2x4z")).toEqual(pollSlotOf("vast-7c9fd-x2x4z"));
    const indices = Array.from({ length: 100 }, (_, i) => pollSlotOf(`pod-x${i}y`).index);
    expect(new Set(indices).size).toBe(10);
    expect(Math.max(...indices)).toBe(9);
  });
});

describe("ten pods that start together", () => {
  test("look for the first time at least 1.3 s apart", () => {
    const looks = pods
      .slice(1)
      .map((place) => firstObservation(place, NOW))
      .sort((a, b) => a - b);
    for (const [i, at] of looks.slice(1).entries()) expect(at - (looks[i] ?? 0)).toBeGreaterThanOrEqual(1300);
    expect((looks.at(-1) ?? 0) - NOW).toBeLessThan(ROUND);
  });

  test("have their turns 5 s apart and within one round of turns, whenever each of them began", () => {
    const turns = pods
      .slice(1)
      .map((place, i) => firstCreateSlot(place, NOW + 500 * i, false))
      .sort((a, b) => a - b);
    for (const [i, at] of turns.slice(1).entries()) expect(at - (turns[i] ?? 0)).toBeGreaterThanOrEqual(5000);
    expect((turns.at(-1) ?? 0) - NOW).toBeLessThan(TURNS + 12 * SECOND);
  });

  test("leave the first of them the time to go ahead", () => {
    const go = firstCreateSlot(first, NOW, true);
    expect(go - NOW).toBeLessThan(2200);
    for (const place of pods.slice(1)) expect(firstCreateSlot(place, NOW, false) - go).toBeGreaterThan(3800);
  });

  test("list in slots of their own in every round, ready or not", () => {
    const slots = (next: (polling: Polling, askedAt: number) => number) =>
      new Set(
        pods.map((place) => next(refusedBy(0, { ...startPolling(third, true), ...slowest(place) }), NOW) % ROUND),
      );
    const slowest = (place: (typeof pods)[number]) => ({ level: 3, phaseMs: startPolling(place, true).phaseMs });
    expect(slots(nextWhileStarting).size).toBe(10);
    expect(slots(nextWhileReady).size).toBe(10);
  });

  test("read the template at instants of their own", () => {
    expect(new Set(pods.map((place) => nextTemplate(place, NOW) % TURNS)).size).toBe(10);
    for (const place of pods) expect(nextTemplate(place, NOW) - NOW).toBeLessThanOrEqual(61 * SECOND);
  });
});

describe("an eleventh pod", () => {
  test("has its turn a round of turns after the first with the same slot", () => {
    expect(firstCreateSlot(pollSlotOf("p-13"), NOW, false) - firstCreateSlot(third, NOW, false)).toBe(TURNS);
  });

  test("waits never more than two rounds of turns more", () => {
    expect(firstCreateSlot(pollSlotOf("p-93"), NOW, false) - firstCreateSlot(third, NOW, false)).toBe(2 * TURNS);
  });
});

describe("a create that was refused as too frequent", () => {
  test("comes again at a turn of the pod's own", () => {
    const at = nextCreateSlot(third, NOW, half);
    expect(nextCreateSlot(third, at, half)).toBe(at);
    expect(nextCreateSlot(third, at + 1, half)).toBe(at + TURNS);
  });

  test("comes again at any time of a round where the pod has no turn of its own", () => {
    const place = { index: 3, numbered: false };
    expect([nextCreateSlot(place, NOW, () => 0), nextCreateSlot(place, NOW, half)]).toEqual([NOW, NOW + TURNS / 2]);
  });
});

describe("how often the list is asked for while something is awaited", () => {
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

  test("one step faster after several clean calls, not after each", () => {
    const slow = refusedBy(1, startPolling(third, false));
    expect(slow.level).toBe(1);
    expect(times(slow.needed - 1, afterAnswer, slow).level).toBe(1);
    expect(times(slow.needed, afterAnswer, slow).level).toBe(0);
  });

  test("needs more clean calls with every refusal, up to a bound", () => {
    const needed = [1, 2, 3, 20].map((n) => refusedBy(n, startPolling(third, false)).needed);
    expect(needed[1]).toBe(2 * (needed[0] ?? 0));
    expect(needed[3]).toBe(64);
  });

  test("once in a round from the beginning by pods that know of neighbours which may be starting as well", () => {
    expect(gap(startPolling(third, true))).toBe(ROUND);
    expect(startPolling(third, true).needed).toBeGreaterThan(startPolling(third, false).needed);
  });

  test("comes a little late in a slot of somebody else's, so that the owner goes first", () => {
    const polling = startPolling(first, false);
    const own = Math.ceil(NOW / ROUND) * ROUND;
    expect(nextWhileStarting(polling, own - 1500)).toBe(own);
    expect(nextWhileStarting(polling, own) - own).toBe(1700 + 400);
  });
});

describe("a pod's slot", () => {
  const slowest = { ...startPolling(third, true), level: 3 };

  test("is kept by a pod with a number when it is refused there once, and left the second time in a row", () => {
    expect(refusedBy(1, slowest).phaseMs).toBe(slowest.phaseMs);
    expect(refusedBy(2, slowest).phaseMs).toBe(8500);
    expect(afterRefusal(afterAnswer(refusedBy(1, slowest)), third, half).phaseMs).toBe(slowest.phaseMs);
  });

  test("is left at once by a pod without a number", () => {
    expect(afterRefusal(slowest, { index: 3, numbered: false }, half).phaseMs).toBe(8500);
  });

  test("is not doubted by a refusal in another's", () => {
    expect(refusedBy(3, startPolling(third, false)).phaseMs).toBe(startPolling(third, false).phaseMs);
  });

  test("is used every other round, twice a minute or so, while all is well", () => {
    const at = nextWhileReady(slowest, NOW);
    expect(nextWhileReady(slowest, at) - at).toBe(2 * ROUND);
    expect(at - NOW).toBeGreaterThanOrEqual(24 * SECOND);
  });
});
