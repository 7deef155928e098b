import { expect, test } from "vitest";
import { type FleetRun, fleetPhases } from "../../bench/fleet-phases.ts";
import type { Injection } from "../../simulation/scenario.ts";

const SECOND = 1000;
const START = 1_000_000;

type Control = FleetRun & { injected: Injection[] };

/** A run of two pods, in which the test decides what they serve. */
function control(): Control {
  const injected: Injection[] = [];
  const pods = [0, 1].map(() => ({ serving: [] as { from: number; to: number; id: number }[] }));
  const contracts = [0, 1].map((id) => ({ id, createdAt: START + 15 * SECOND }));
  const truth = { start: START, pods, contracts };
  const inject = (one: Injection) => void injected.push(one);
  return { now: START, truth, calls: 0, requests: [], redisOperations: 0, inject, injected };
}

/** Each pod serves from another instance from now on; null: from none. */
function serve(run: Control, id: number | null): void {
  for (const [i, pod] of run.truth.pods.entries()) {
    const last = pod.serving.at(-1);
    if (last !== undefined) last.to = Math.min(last.to, run.now);
    if (id !== null) pod.serving.push({ from: run.now, to: Number.POSITIVE_INFINITY, id: id + i });
  }
}

function lookFor(run: Control, phases: ReturnType<typeof fleetPhases>, seconds: number): boolean {
  for (let i = 0; i < seconds; i += 1) {
    run.now += SECOND;
    if (phases.look(run)) return true;
  }
  return false;
}

test("measures a cold start, idle calls, a rollout and an outage, one after another", () => {
  const run = control();
  const phases = fleetPhases(2);
  lookFor(run, phases, 37);
  serve(run, 0); // 23 s after the creates: the floor is 2 x 4.5 + 10 + 22 s
  lookFor(run, phases, 1);
  lookFor(run, phases, 180);
  run.calls = 30;
  lookFor(run, phases, 600);
  expect(run.injected.map(({ kind }) => kind)).toEqual(["template"]);
  lookFor(run, phases, 60);
  serve(run, null);
  lookFor(run, phases, 20);
  serve(run, 10);
  lookFor(run, phases, 181);
  expect(run.injected.map(({ kind }) => kind)).toEqual(["template", "network", "instance"]);
  serve(run, null);
  lookFor(run, phases, 600);
  expect(lookFor(run, phases, 73)).toBe(false);
  serve(run, 20);
  expect(lookFor(run, phases, 1)).toBe(true);
  const { coldStart, idleCalls, rollout, mostDown, longestDown, outage } = phases.numbers(run);
  expect(coldStart).toBeCloseTo(38 / 41, 5);
  expect(idleCalls).toBeCloseTo(3, 5);
  expect(rollout).toBeCloseTo(81 / 41, 5);
  expect([mostDown, longestDown]).toEqual([2, 20]);
  expect(outage).toBeCloseTo(74 / 36.5, 5);
});

test("gives a cold start up that does not end, and measures nothing after the idle calls", () => {
  const run = control();
  const phases = fleetPhases(2);
  expect(lookFor(run, phases, 3 * 3600)).toBe(true);
  expect(phases.numbers(run)).toMatchObject({ coldStart: null, rollout: null, outage: null });
  expect(run.injected).toEqual([]);
});

test("counts the calls that were refused after the first minute", () => {
  const run = control();
  const phases = fleetPhases(2);
  const call = (n: number, second: number, status: number) => ({
    n,
    at: new Date(START + second * SECOND).toISOString(),
    status,
  });
  run.requests = [call(1, 30, 429), call(2, 70, 200), call(3, 80, 429)];
  lookFor(run, phases, 100);
  expect(phases.numbers(run).refused).toBe(1);
});
