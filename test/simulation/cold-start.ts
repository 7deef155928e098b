// Measures pods that start together with one key from one address: API calls, and time until all serve. Touches nothing outside.

import type { Scenario } from "./scenario.ts";
import { scenarioWith } from "./scenario-with.ts";
import { type RunOptions, simulate } from "./simulation.ts";

export interface ColdStart {
  /** Seconds from the start until the last create that made an instance; null if not every pod got one. */
  lastCreateSeconds: number | null;
  /** Seconds until every pod served; null if not all did. */
  readySeconds: number | null;
  /** Longest time from an instance's create to serving, seconds. */
  longestBootSeconds: number;
  /** Calls until all were ready, and how many of them were answered 429. */
  calls: number;
  refused: number;
  /** Refused calls by method and path. */
  refusedBy: Record<string, number>;
  /** Instances that were made. */
  made: number;
}

/** Starts `pods` together and measures until all of them serve. */
export async function coldStart(
  pods: number,
  seed: number,
  options: RunOptions = {},
  scenario: Partial<Scenario> = {},
): Promise<ColdStart> {
  const run = scenarioWith([], { faultyMinutes: 0, hours: 0.5, pods, seed, ...scenario });
  const { truth, requests } = await simulate(run, { startsAt: () => 0, ...options });
  const seconds = (at: number) => (at - truth.start) / 1000;
  const creates = truth.creates.filter((create) => create.made !== null);
  const first = truth.pods.map((pod) => pod.serving[0]);
  const times = first.map((span) => span?.from ?? Number.POSITIVE_INFINITY);
  const readyAt = Math.max(...times);
  const until = requests.filter(({ at }) => Date.parse(at) <= readyAt);
  const refused = until.filter(({ status }) => status === 429);
  const refusedBy: Record<string, number> = {};
  for (const { method, path } of refused) {
    const name = `${method} ${path.replace(/\d{3,}/, "ID")}`;
    refusedBy[name] = (refusedBy[name] ?? 0) + 1;
  }
  const boots = first.map((span) => {
    const contract = truth.contracts.find(({ id }) => id === span?.id);
    return span === undefined || contract === undefined ? 0 : (span.from - contract.createdAt) / 1000;
  });
  return {
    lastCreateSeconds: creates.length < pods ? null : seconds(Math.max(...creates.map(({ at }) => at))),
    readySeconds: Number.isFinite(readyAt) ? seconds(readyAt) : null,
    longestBootSeconds: Math.max(...boots),
    calls: until.length,
    refused: refused.length,
    refusedBy,
    made: creates.length,
  };
}
