// Draws pauses of a process: long ones at any time, and ones around which an instance is silent, so that a program which takes the pause
// for silence destroys a good instance. Pure.
import type { Random } from "../emulator/random.ts";
import type { Injection } from "./scenario.ts";

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
// For every pod in each hour with faults.
const FREEZES_PER_POD_HOUR = 0.5;
const SILENT_PER_POD_HOUR = 0.3;
const STALE_OWNERS_PER_POD_HOUR = 0.2;
// The longest duration of each group: it must end before the faults end.
const LONGEST_MS = 25 * MINUTE_MS;

export interface FreezeOptions {
  pods: number;
  faultsEndMs: number;
  /** A second process of a pod can start while the first one is frozen: only with a Redis that forgets nothing. */
  steadyRedis: boolean;
  /** Contracts can stay unlisted for ever: then no answer of a create may be lost with a process that never continues. */
  losesRows: boolean;
}

export function drawFreezes(random: Random, { pods, faultsEndMs, steadyRedis, losesRows }: FreezeOptions): Injection[] {
  const podHours = (pods * faultsEndMs) / HOUR_MS;
  const several = (perPodHour: number, draw: (at: number, pod: number) => Injection[]) =>
    Array.from({ length: faultsEndMs < LONGEST_MS ? 0 : Math.round(podHours * perPodHour) }, () =>
      draw(random.integer(0, faultsEndMs - LONGEST_MS), random.integer(0, pods - 1)),
    ).flat();
  return [
    ...several(FREEZES_PER_POD_HOUR, (at, pod) => [
      { kind: "freeze", at, pod, forMs: random.integer(12 * SECOND_MS, 20 * MINUTE_MS) },
    ]),
    ...several(SILENT_PER_POD_HOUR, (at, pod) => silentAround(random, at, pod)),
    ...(steadyRedis && !losesRows ? several(STALE_OWNERS_PER_POD_HOUR, (at, pod) => staleOwner(random, at, pod)) : []),
  ];
}

/** The instance is silent when the process is frozen and for a few looks after, but answers well in between. */
function silentAround(random: Random, at: number, pod: number): Injection[] {
  const frozenAt = at + random.integer(10, 60) * SECOND_MS;
  const forMs = random.integer(6, 18) * MINUTE_MS;
  const undo = { event: "unmute", afterMs: frozenAt - at + SECOND_MS };
  return [
    { kind: "instance", at, pod, event: "mute", body: {}, undo },
    { kind: "freeze", at: frozenAt, pod, forMs },
    {
      kind: "network",
      at: frozenAt + forMs - SECOND_MS,
      forMs: random.integer(5, 30) * SECOND_MS,
      to: "instances",
      code: "ETIMEDOUT",
      pod,
    },
  ];
}

/** The process is frozen while it replaces its instance, and its successor takes over meanwhile. */
function staleOwner(random: Random, at: number, pod: number): Injection[] {
  const frozenAt = at + random.integer(0, 60) * SECOND_MS;
  const effect = { kind: "error", status: 410, form: "ask", error: "no_such_ask" };
  const rule = { method: "PUT", path: "^/api/v0/asks/", times: random.integer(1, 4), effect };
  return [
    { kind: "api-fault", at, forMs: 2 * MINUTE_MS, rule },
    { kind: "instance", at, pod, event: "kill", body: {}, undo: null },
    { kind: "freeze", at: frozenAt, pod, forMs: random.integer(2, 10) * MINUTE_MS },
    { kind: "overlap", at: frozenAt + SECOND_MS, pod, forMs: random.integer(11, 20) * MINUTE_MS },
  ];
}
