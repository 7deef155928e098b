// How many pods of one account use the API, from the simulation in virtual time: how fast all get an instance at a cold start,
// and how many calls they make when idle.
import type { Scenario } from "../simulation/scenario.ts";
import { simulate } from "../simulation/simulation.ts";
import type { ResultLine } from "./result-line.ts";

const PODS = 20;
const SEED = 1;
// The best that the API's limit on creates allows.
const SECONDS_PER_CREATE = 4.5;
// By then every pod serves; from then on they are idle.
const SETTLED_HOURS = 1;
const IDLE_HOURS = 0.5;

export async function apiUsage(): Promise<ResultLine[]> {
  const settled = await simulate(quiet(PODS, SETTLED_HOURS));
  const { truth } = settled;
  const made = truth.creates.filter((create) => create.made !== null);
  const last = Math.max(...made.map((create) => create.at));
  const without = truth.pods.filter((pod) => pod.serving.length === 0).length;
  const callsPerMinute = async (pods: number, before: number) =>
    ((await simulate(quiet(pods, SETTLED_HOURS + IDLE_HOURS))).calls - before) / (IDLE_HOURS * 60);
  const many = await callsPerMinute(PODS, settled.calls);
  const one = await callsPerMinute(1, (await simulate(quiet(1, SETTLED_HOURS))).calls);
  return [
    {
      what: `cold start of ${PODS} pods, to the last create`,
      ours: { value: (last - truth.start) / 1000, unit: "s" },
      against: { value: PODS * SECONDS_PER_CREATE, unit: "s", what: `${SECONDS_PER_CREATE} s for each create` },
      goal: { atMost: 1.15 },
    },
    {
      what: `pods of these without an instance after ${SETTLED_HOURS} h`,
      ours: { value: without, unit: `of ${PODS}` },
      against: null,
      goal: { atMost: 0 },
    },
    {
      what: `API calls per minute, ${PODS} idle pods`,
      ours: { value: many, unit: "calls/min" },
      against: { value: PODS * one, unit: "calls/min", what: `${PODS} x one pod` },
      goal: null,
    },
  ];
}

/** Without faults; all pods call the API from one address with one key. */
function quiet(pods: number, hours: number): Scenario {
  return { seed: SEED, hours, pods, faultsEndMs: 0, env: {}, oneAddress: true, emulator: {}, injections: [] };
}
