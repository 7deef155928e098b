// Fifty pods with one key and one address whose Redis is away for ten minutes: each reads and creates in a slot of its own.
import { expect, test } from "vitest";
import type { Dependencies } from "../../provisioner/commands/dependencies.ts";
import type { RedisConnection } from "../../provisioner/redis/connection.ts";
import { judge } from "./laws/all.ts";
import type { Injection } from "./scenario.ts";
import { MINUTE_MS, scenarioWith } from "./scenario-with.ts";
import { simulate } from "./simulation.ts";

const PODS = 50;
const AWAY_AT = 8 * MINUTE_MS;
const AWAY_MS = 10 * MINUTE_MS;
const MINUTES = 24;
const LOST = [10, 20, 30, 40];

/** As the real connection does: after a command without an answer, the others fail at once for three seconds. */
function withFailFast(dependencies: Dependencies): Dependencies {
  const { clock } = dependencies;
  return {
    ...dependencies,
    async connectRedis(address, log) {
      const redis = await dependencies.connectRedis(address, log);
      let until = Number.NEGATIVE_INFINITY;
      const evaluate: RedisConnection["evaluate"] = async (...call) => {
        if (clock.monotonic() < until) throw new Error("Command timed out");
        return redis.evaluate(...call).catch((error: unknown) => {
          until = clock.monotonic() + 3000;
          throw error;
        });
      };
      return { ...redis, evaluate };
    },
  };
}

test("while Redis is away for ten minutes all go on serving, lost ones are replaced in their slots, and few calls are refused", async () => {
  // Some processes start while it is away: they know the size of the fleet from their state files.
  const restarts = [3, 4, 5].map(
    (pod): Injection => ({
      kind: "restart",
      at: AWAY_AT + MINUTE_MS,
      pod,
      how: "kill",
      point: null,
      downMs: 3000,
      losesDisk: false,
    }),
  );
  const lost = LOST.map(
    (pod): Injection => ({
      kind: "instance",
      at: AWAY_AT + 2 * MINUTE_MS,
      pod,
      event: "kill",
      body: {},
      undo: null,
    }),
  );
  const away: Injection = { kind: "redis-away", at: AWAY_AT, forMs: AWAY_MS };
  const { truth, requests } = await simulate(
    scenarioWith([away, ...restarts, ...lost], {
      pods: PODS,
      hours: MINUTES / 60,
      faultyMinutes: MINUTES - 1,
      env: { BLACKLIST_ENABLED: "true" },
    }),
    { startsAt: (pod) => pod * 100, alter: withFailFast },
  );
  expect(judge(truth)).toEqual([]);
  const msOf = (at: string) => Date.parse(at) - truth.start;
  const refusedOf = (from: number, to: number, path = "") => {
    const some = requests.filter((one) => msOf(one.at) >= from && msOf(one.at) < to && one.path.startsWith(path));
    return some.filter(({ status }) => status === 429).length / some.length;
  };
  const end = AWAY_AT + AWAY_MS;
  // At first all read the template that they had from Redis so far, once.
  expect(refusedOf(AWAY_AT, end)).toBeLessThan(0.25);
  expect(refusedOf(AWAY_AT + MINUTE_MS, end, "/api/v1/instances/")).toBeLessThan(0.2);
  expect(refusedOf(AWAY_AT + MINUTE_MS, end, "/api/v0/template/")).toBeLessThan(0.2);
  expect(refusedOf(end, MINUTES * MINUTE_MS)).toBeLessThan(0.05);
  expect(truth.destroys).toEqual([]);
  const made = truth.creates.filter((create) => create.made !== null);
  const again = made.filter(({ at }) => at > truth.start + AWAY_AT);
  expect(again.map(({ pod }) => pod).sort((x, y) => x - y)).toEqual(LOST);
  expect(again.some(({ at }) => at < truth.start + end)).toBe(true);
  for (const [index, { serving }] of truth.pods.entries()) {
    const from = serving.filter(({ to }) => to >= truth.start + AWAY_AT).map((span) => span.from);
    expect(from).toHaveLength(LOST.includes(index) ? 2 : 1);
    expect(serving.at(-1)?.to).toBe(truth.end);
  }
});
