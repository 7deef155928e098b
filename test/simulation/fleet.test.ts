// Ten pods with one key, one address and a Redis: one of them reads the instance list for all. What happens when it fails.
import { expect, test } from "vitest";
import type { Dependencies } from "../../provisioner/commands/dependencies.ts";
import type { ScriptRunner } from "../../provisioner/redis/commands.ts";
import { HOLD_PROBES_MS } from "./held-probes.ts";
import { judge } from "./laws/all.ts";
import type { Injection } from "./scenario.ts";
import { MINUTE_MS, scenarioWith } from "./scenario-with.ts";
import { type RunOptions, type RunResult, simulate } from "./simulation.ts";

const PODS = 10;
const SECOND_MS = 1000;
const FAULT_AT = 10 * MINUTE_MS;
const SCENARIO = { pods: PODS, faultyMinutes: 12, env: { BLACKLIST_ENABLED: "true" } };

interface FleetRun extends RunResult {
  /** When which pod published a list, ms from the start. */
  published: { at: number; pod: number }[];
}

/** `cutOff`: this pod does not reach Redis from the fault on. */
async function run(injections: Injection[], cutOff: number | null = null, options: RunOptions = {}): Promise<FleetRun> {
  const publications: { at: number; pod: number }[] = [];
  const alter = (dependencies: Dependencies, pod: number): Dependencies => ({
    ...dependencies,
    async connectRedis(url, log) {
      const redis = await dependencies.connectRedis(url, log);
      const evaluate: ScriptRunner["evaluate"] = async (script, keys, args) => {
        if (pod === cutOff && dependencies.clock.monotonic() >= began + FAULT_AT) {
          await dependencies.clock.sleep(SECOND_MS);
          throw new Error("Command timed out");
        }
        const answer = await redis.evaluate(script, keys, args);
        if (script.name === "fleet publish" && answer === 1)
          publications.push({ at: dependencies.clock.monotonic(), pod });
        return answer;
      };
      return { ...redis, evaluate };
    },
  });
  let began = Number.POSITIVE_INFINITY;
  const startsAt = (pod: number) => pod * 300;
  const result = await simulate(scenarioWith(injections, SCENARIO), {
    startsAt,
    holdProbesMs: HOLD_PROBES_MS,
    alter: (dependencies, pod) => {
      began = Math.min(began, dependencies.clock.monotonic());
      return alter(dependencies, pod);
    },
    ...options,
  });
  const published = publications.map(({ at, pod }) => ({ at: at - result.truth.start, pod }));
  return { ...result, published };
}

const secondsOf = (at: string, { truth }: RunResult) => (Date.parse(at) - truth.start) / SECOND_MS;

/** The pod that leads when the fault comes, and the run without a fault. */
async function leaderBeforeFault(): Promise<{ leader: number; calm: FleetRun }> {
  const calm = await run([]);
  const leader = calm.published.filter(({ at }) => at < FAULT_AT).at(-1)?.pod;
  if (leader === undefined) throw new Error("no pod has led");
  return { leader, calm };
}

function expectOneCreateEach({ truth }: FleetRun): void {
  const made = truth.creates.filter((create) => create.made !== null).map(({ pod }) => pod);
  expect(made.sort((a, b) => a - b)).toEqual(truth.pods.map((_, pod) => pod));
}

/** `alone`: a pod reads its own list beside the leader, which knows nothing of it. */
function expectNothingLost(result: FleetRun, alone = false): void {
  expect(judge(result.truth)).toEqual([]);
  expectOneCreateEach(result);
  expect(result.truth.destroys).toEqual([]);
  const after = result.requests.filter(({ at }) => secondsOf(at, result) > 120);
  const refused = after.filter(({ status }) => status === 429);
  expect(refused.filter(({ method }) => !alone || method !== "GET")).toEqual([]);
}

const { leader, calm } = await leaderBeforeFault();

test("one pod at a time reads, and idle pods cost 6 calls a minute and one for each 25 pods in 5 minutes", () => {
  expectNothingLost(calm);
  expect(new Set(calm.published.map(({ pod }) => pod)).size).toBe(1);
  const lists = calm.requests.filter(({ at, path }) => {
    const minutes = secondsOf(at, calm) / 60;
    return path === "/api/v1/instances/" && minutes >= 20 && minutes < 40;
  });
  expect(lists.length).toBeLessThanOrEqual(20 * 6 + 10);
});

test.each<[string, Injection[], boolean]>([
  [
    "is killed",
    [{ kind: "restart", at: FAULT_AT, pod: leader, how: "kill", point: null, downMs: MINUTE_MS, losesDisk: false }],
    false,
  ],
  ["is stopped and continues", [{ kind: "freeze", at: FAULT_AT, pod: leader, forMs: MINUTE_MS }], false],
  ["is cut off from Redis", [], true],
  [
    "does not reach the API",
    [{ kind: "network", at: FAULT_AT, forMs: MINUTE_MS, to: "api", code: "ECONNREFUSED", pod: leader }],
    false,
  ],
])("a leader that %s is followed by another one, and nothing is lost", async (_, injections, cutOff) => {
  // Lists are due when the fault comes: an instance has just moved.
  const move: Injection = {
    kind: "instance",
    at: FAULT_AT + 2 * SECOND_MS,
    pod: (leader + 1) % PODS,
    event: "move",
    body: {},
    undo: null,
  };
  const result = await run([...injections, move], cutOff ? leader : null);
  expectNothingLost(result, cutOff);
  const next = result.published.find(({ at, pod }) => at > FAULT_AT && pod !== leader);
  // A leader without the API notices that with its next reading, and tries for 6 s before it gives up.
  const most = injections.some(({ kind }) => kind === "network") ? 17 : 16;
  expect((next?.at ?? Number.POSITIVE_INFINITY) - FAULT_AT).toBeLessThanOrEqual(most * SECOND_MS);
});

test("a flushed Redis is filled again at once, amid the cold start as well as later", async () => {
  for (const at of [5 * SECOND_MS, 20 * SECOND_MS, FAULT_AT]) {
    const result = await run([{ kind: "redis-flush", at }]);
    expectNothingLost(result);
    expect(result.published.some((one) => one.at > at && one.at < at + 10 * SECOND_MS)).toBe(true);
  }
});

test("while Redis is away each pod reads its own list, and afterwards one reads for all again", async () => {
  const result = await run([{ kind: "redis-away", at: FAULT_AT, forMs: 2 * MINUTE_MS }]);
  expect(judge(result.truth)).toEqual([]);
  expectOneCreateEach(result);
  const own = result.requests.filter(({ query }) => /"eq"/.test(query.select_filters ?? ""));
  const times = own.filter(({ path }) => path === "/api/v1/instances/").map(({ at }) => secondsOf(at, result));
  expect(Math.min(...times)).toBeGreaterThan(FAULT_AT / SECOND_MS + 10);
  expect(Math.max(...times)).toBeLessThan(FAULT_AT / SECOND_MS + 120 + 10);
});
