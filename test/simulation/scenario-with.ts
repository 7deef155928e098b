// A scenario with one pod and only the faults that a test names. Pure.
import type { JsonObject } from "../emulator/json.ts";
import type { Injection, Scenario } from "./scenario.ts";

export const MINUTE_MS = 60_000;

/** Faults end after `faultyMinutes`; the run continues for the hour that the laws need. */
export function scenarioWith(
  injections: Injection[],
  { faultyMinutes = 60, ...more }: Partial<Scenario> & { faultyMinutes?: number } = {},
): Scenario {
  return {
    seed: 7,
    hours: faultyMinutes / 60 + 1.1,
    pods: 1,
    faultsEndMs: faultyMinutes * MINUTE_MS,
    env: {},
    oneAddress: true,
    emulator: {},
    injections,
    ...more,
  };
}

/** An event of the pod's instance. */
export function instanceEvent(atMinute: number, event: string, body: JsonObject = {}): Injection {
  return { kind: "instance", at: atMinute * MINUTE_MS, pod: 0, event, body, undo: null };
}

/** The pod's process is killed, and the pod is replaced if it loses its disk. */
export function podKilled(atMinute: number, losesDisk: boolean): Injection {
  const at = Math.round(atMinute * MINUTE_MS);
  return { kind: "restart", at, pod: 0, how: "kill", point: null, downMs: 3000, losesDisk };
}
