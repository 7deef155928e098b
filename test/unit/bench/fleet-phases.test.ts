import { expect, test } from "vitest";
import { type FleetRun, fleetPhases } from "../../bench/fleet-phases.ts";
import type { Injection } from "../../simulation/scenario.ts";

const SECOND = 1000;
const START = 1_000_000;

type Control = FleetRun & { injected: Injection[]; truth: { contracts: { id: number; createdAt: number }[] } };

/** A run of two pods, in which the test decides what they serve. */
function control(): Control {
  const injected: Injection[] = [];
  const pods = [0, 1].map(() => ({ serving: [] as { from: number; to: number; id: number }[] }));
  const truth = { start: START, pods, contracts: [] as { id: number; createdAt: number }[] };
  const inject = (one: Injection) => void injected.push(one);
  return { now: START, truth, calls: 0, requests: [], redisOperations: 0, inject, injected };
}

/** Each pod serves from another instance from now on, which was created `bootSeconds` ago. */
function serve(run: Control, id: number, bootSeconds: number): void {
  for (const [i, pod] of run.truth.pods.entries()) {
    run.truth.contracts.push({ id: id + i, createdAt: run.now - bootSeconds * SECOND });
    pod.serving.push({ from: run.now, to: Number.POSITIVE_INFINITY, id: id + i });
  }
}

function serveNothing(run: Control): void {
  for (const { serving } of run.truth.pods) for (const span of serving) span.to = Math.min(span.to, run.now);
}

function lookFor(run: Control, phases: ReturnType<typeof fleetPhases>, seconds: number): boolean {
  for (let i = 0; i < seconds; i += 1) {
    run.now += SECOND;
    if (phases.look(run)) return true;
  }
  return false;
}

/** A cold start, and 60 s after the change of the template a rollout in which both pods are down for 20 s. */
function untilRolledOut(run: Control, phases: ReturnType<typeof fleetPhases>): void {
  lookFor(run, phases, 37);
  serve(run, 0, 22);
  lookFor(run, phases, 1);
  lookFor(run, phases, 180);
  run.calls = 30;
  lookFor(run, phases, 600);
  expect(run.injected.map(({ kind }) => kind)).toEqual(["template"]);
  lookFor(run, phases, 60);
  serveNothing(run);
  lookFor(run, phases, 20);
  serve(run, 10, 12);
  lookFor(run, phases, 181);
}

test("measures a cold start, idle calls, a rollout and an outage, one after another", () => {
  const run = control();
  const phases = fleetPhases(2);
  untilRolledOut(run, phases);
  expect(run.injected.map(({ kind }) => kind)).toEqual(["template", "network", "instance"]);
  serveNothing(run);
  lookFor(run, phases, 600);
  expect(lookFor(run, phases, 73)).toBe(false);
  serve(run, 20, 6);
  expect(lookFor(run, phases, 1)).toBe(true);
  const { coldStart, idleCalls, rollout, mostDown, longestDown, longestWithoutBoot, outage } = phases.numbers(run);
  // The floor of so many creates: 4.5 s for each, 10 s for the confirmation, and the boot.
  expect(coldStart).toBeCloseTo(38 / (2 * 4.5 + 10 + 22), 5);
  expect(idleCalls).toBeCloseTo(3, 5);
  expect(rollout).toBeCloseTo(81 / (2 * 4.5 + 10 + 12), 5);
  expect([mostDown, longestDown, longestWithoutBoot]).toEqual([2, 20, 8]);
  expect(outage).toBeCloseTo(74 / (4.5 + 10 + 6), 5);
});

test("the floor of a rollout is not lower than what its bound on pods that are down allows", () => {
  const run = control();
  const phases = fleetPhases(2, 1);
  untilRolledOut(run, phases);
  // One pod after the other: 10 s for the requests in progress, and its boot.
  expect(phases.numbers(run).rollout).toBeCloseTo(81 / (2 * (10 + 12)), 5);
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
