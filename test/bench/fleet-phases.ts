// What happens to a fleet of pods in the bench, one phase after another: a cold start, a quiet time, a rollout of a changed template,
// and an outage of the API in which some instances are lost. Touches the simulated run that it steers.
import type { ContractTruth, PodTruth } from "../simulation/emulator-truth.ts";
import type { RunControl } from "../simulation/simulation.ts";

/** What the phases use of a run. */
export interface FleetRun extends Pick<RunControl, "now" | "calls" | "redisOperations" | "inject"> {
  truth: {
    start: number;
    pods: readonly Pick<PodTruth, "serving">[];
    contracts: readonly Pick<ContractTruth, "id" | "createdAt">[];
  };
  requests: readonly Pick<RunControl["requests"][number], "n" | "at" | "status">[];
}

/** What was measured. Null: it did not come to an end in the time for it. */
export interface FleetNumbers {
  /** From the start of all pods until the last of them serves, divided by the least that the API allows. */
  coldStart: number | null;
  /** The same for a rollout. */
  rollout: number | null;
  /** From the end of an outage of 10 minutes, in which a fifth of the instances was lost. */
  outage: number | null;
  /** Pods that serve nothing at the same time in the rollout, at most. */
  mostDown: number | null;
  /** The longest time of one of them, and of that what was not the boot of its new instance, seconds. */
  longestDown: number | null;
  longestWithoutBoot: number | null;
  /** Calls that were refused by rate limits after the first minute of the run, and how many calls there were in all. */
  refused: number;
  calls: number;
  /** Calls a minute while nothing happens. */
  idleCalls: number | null;
  /** Operations of Redis a second, over the whole run. */
  redisOperations: number;
  simulatedHours: number;
}

const MINUTE_MS = 60_000;
// The API's limit on creates, and the time between the two lists that confirm that there is no instance.
const CREATE_MS = 4500;
const CONFIRM_MS = 10_000;
// Requests in progress may end before their instance is destroyed: the default of VAST_DRAIN_SECONDS.
const DRAIN_MS = 10_000;
// A phase that takes so many times its floor, and half an hour more, is given up.
const MOST_FLOORS = 8;
const MOST_MS = 30 * MINUTE_MS;
const SETTLE_MS = 3 * MINUTE_MS;
const IDLE_MS = 10 * MINUTE_MS;
const OUTAGE_MS = 10 * MINUTE_MS;
// One instance in this many is lost in the outage.
const LOST_OF = 5;

type Phase = "cold" | "settle" | "idle" | "rollout" | "after" | "outage" | "recovery";

/**
 * `look` is to be called each simulated second; it is true when the last phase is over. `mostUnavailable`: the most pods that the program
 * takes down at once.
 */
export function fleetPhases(
  pods: number,
  mostUnavailable = pods,
): { look(run: FleetRun): boolean; numbers(run: FleetRun): FleetNumbers } {
  const measured: Omit<FleetNumbers, "refused" | "calls" | "redisOperations" | "simulatedHours"> = {
    coldStart: null,
    rollout: null,
    outage: null,
    mostDown: null,
    longestDown: null,
    longestWithoutBoot: null,
    idleCalls: null,
  };
  const lost = Array.from({ length: Math.ceil(pods / LOST_OF) }, (_, i) => i * LOST_OF);
  let phase: Phase = "cold";
  let since: number | null = null;
  let callsBefore = 0;
  let refused = 0;
  let lastCall = 0;
  let outdated = new Set<number>();

  /** Until so many instances serve that are created from now on. */
  const floorMs = (run: FleetRun, creates: number) =>
    creates * CREATE_MS + CONFIRM_MS + median(boots(run, since ?? run.truth.start));
  const rolloutFloorMs = (run: FleetRun) => {
    const roundMs = DRAIN_MS + mean(boots(run, since ?? run.truth.start));
    return Math.max(floorMs(run, pods), Math.ceil(pods / mostUnavailable) * roundMs);
  };
  const begin = (next: Phase, now: number) => {
    phase = next;
    since = now;
    return false;
  };

  function countRefused({ truth, requests }: FleetRun): void {
    for (let i = requests.length - 1; i >= 0; i -= 1) {
      const request = requests[i];
      if (request === undefined || request.n <= lastCall) break;
      if (request.status === 429 && Date.parse(request.at) >= truth.start + MINUTE_MS) refused += 1;
    }
    lastCall = requests.at(-1)?.n ?? lastCall;
  }

  function look(run: FleetRun): boolean {
    countRefused(run);
    const { now, truth } = run;
    since ??= truth.start;
    const forMs = now - since;
    const serving = servedBy(run);
    const all = serving.every((id) => id !== null && !outdated.has(id));
    const givenUp = (leastMs: number) => forMs > MOST_FLOORS * leastMs + MOST_MS;
    switch (phase) {
      case "cold":
        if (all) measured.coldStart = forMs / floorMs(run, pods);
        return all || givenUp(floorMs(run, pods)) ? begin("settle", now) : false;
      case "settle":
        callsBefore = run.calls;
        return forMs >= SETTLE_MS ? begin("idle", now) : false;
      case "idle":
        if (forMs < IDLE_MS) return false;
        measured.idleCalls = ((run.calls - callsBefore) / forMs) * MINUTE_MS;
        if (measured.coldStart === null) return true; // it never came to rest: nothing more can be measured
        outdated = new Set(truth.contracts.map(({ id }) => id));
        run.inject({ kind: "template", at: now - truth.start, readme: "changed" });
        measured.mostDown = 0;
        return begin("rollout", now);
      case "rollout":
        measured.mostDown = Math.max(measured.mostDown ?? 0, serving.filter((id) => id === null).length);
        if (all) measured.rollout = forMs / rolloutFloorMs(run);
        if (all) Object.assign(measured, longestGaps(run, since));
        return all || givenUp(rolloutFloorMs(run)) ? begin("after", now) : false;
      case "after": {
        if (forMs < SETTLE_MS) return false;
        const at = now - truth.start;
        run.inject({ kind: "network", at, forMs: OUTAGE_MS, to: "api", code: "ECONNREFUSED", pod: null });
        for (const pod of lost) run.inject({ kind: "instance", at, pod, event: "exit", body: {}, undo: null });
        outdated = new Set(lost.flatMap((pod) => serving[pod] ?? []));
        return begin("outage", now);
      }
      case "outage":
        return forMs >= OUTAGE_MS ? begin("recovery", now) : false;
      case "recovery":
        if (all) measured.outage = forMs / floorMs(run, lost.length);
        return all || givenUp(floorMs(run, lost.length));
    }
  }

  return {
    look,
    numbers: ({ now, truth, calls, redisOperations }) => ({
      ...measured,
      refused,
      calls,
      redisOperations: redisOperations / ((now - truth.start) / 1000),
      simulatedHours: (now - truth.start) / (60 * MINUTE_MS),
    }),
  };
}

/** The instance from which each pod serves, or null. */
function servedBy({ truth }: FleetRun): (number | null)[] {
  return truth.pods.map(({ serving }) => {
    const last = serving.at(-1);
    return last !== undefined && last.to === Number.POSITIVE_INFINITY ? last.id : null;
  });
}

/** From the create of each instance that was created after `from` until a pod served from it, ms. */
function boots({ truth }: FleetRun, from: number): number[] {
  const created = new Map(truth.contracts.map(({ id, createdAt }) => [id, createdAt]));
  return truth.pods.flatMap(({ serving }) =>
    serving.flatMap((span) => {
      const createdAt = created.get(span.id) ?? 0;
      return createdAt >= from ? [span.from - createdAt] : [];
    }),
  );
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
}

/** The longest times after `from` in which one pod served nothing. */
function longestGaps({ truth }: FleetRun, from: number): Pick<FleetNumbers, "longestDown" | "longestWithoutBoot"> {
  const created = new Map(truth.contracts.map(({ id, createdAt }) => [id, createdAt]));
  let [longestMs, withoutBootMs] = [0, 0];
  for (const { serving } of truth.pods) {
    for (const [i, span] of serving.entries()) {
      const before = serving[i - 1];
      if (before === undefined || before.to < from) continue;
      longestMs = Math.max(longestMs, span.from - before.to);
      withoutBootMs = Math.max(withoutBootMs, (created.get(span.id) ?? span.from) - before.to);
    }
  }
  return { longestDown: longestMs / 1000, longestWithoutBoot: withoutBootMs / 1000 };
}
