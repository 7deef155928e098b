// The scripts of shared readings and offers on a real Redis and their copies in the simulated one give the same answers to the same random
// calls.
import { expect, test } from "vitest";
import { systemClock } from "../../common/clock.ts";
import { ADD_BOOT, READ_BOOTS } from "../../provisioner/fleet/boot-store.ts";
import { ADD_RECORDS, READ_RECORDS } from "../../provisioner/fleet/machine-records.ts";
import { FREE_MACHINES, FREED_MACHINE, RESERVE_MACHINE, SETTLE_MACHINE } from "../../provisioner/fleet/offer-market.ts";
import { PUT_REPORT, READ_REPORTS, REMOVE_REPORT } from "../../provisioner/fleet/reports.ts";
import { LEAVE_SHARED, READ_SHARED, WRITE_SHARED } from "../../provisioner/fleet/shared-reading.ts";
import type { RedisScript, ScriptRunner } from "../../provisioner/redis/commands.ts";
import { type Random, seededRandom } from "../emulator/random.ts";
import { until } from "../sandbox/until.ts";
import { sharedRedis } from "../simulation/redis.ts";
import { useRealRedis } from "./real-redis.ts";

const realRedis = useRealRedis();

interface Call {
  script: RedisScript;
  keys: readonly string[];
  args: readonly (string | number)[];
  /** The part of the answer that does not depend on the instant of the call. */
  shown: (answer: unknown) => unknown;
}

// A quarter of an hour apart, so that a slow machine changes no answer.
const LONG_MS = 1_000_000;
const same = (answer: unknown) => answer;
const pick = <T>(random: Random, from: readonly T[]): T => {
  const one = from[random.integer(0, from.length - 1)];
  if (one === undefined) throw new Error("nothing to pick from");
  return one;
};

function sharedReadingCall(random: Random): Call {
  const key = `vast-pod:{1}:${pick(random, ["template:a", "credit"])}`;
  const lock = `${key}:lock`;
  const token = pick(random, ["one", "two"]);
  const script = pick(random, [READ_SHARED, READ_SHARED, WRITE_SHARED, LEAVE_SHARED]);
  if (script === LEAVE_SHARED) return { script, keys: [lock], args: [token], shown: same };
  const keys = [key, lock];
  if (script === WRITE_SHARED) {
    const args = [token, `{"n":${random.integer(0, 9)}}`, pick(random, [0, LONG_MS]), LONG_MS];
    return {
      script,
      keys,
      args,
      shown: (answer) => (typeof answer === "number" ? Math.round(answer / LONG_MS) : answer),
    };
  }
  const args = [token, pick(random, [LONG_MS / 2, 2 * LONG_MS]), LONG_MS, pick(random, [0, Date.now() + LONG_MS])];
  const shown = (answer: unknown) => {
    const [value, readAt, now, mine] = answer as [unknown, unknown, number, unknown];
    return [value, typeof readAt, Math.abs(now - Date.now()) < LONG_MS / 2, mine];
  };
  return { script, keys, args, shown };
}

function offerMarketCall(random: Random): Call {
  const machines = [71, 72, 73].map((machine) => `vast-pod:{1}:taken:${machine}`);
  const label = pick(random, ["k8s_pod=a", "k8s_pod=b b"]);
  const script = pick(random, [FREE_MACHINES, RESERVE_MACHINE, RESERVE_MACHINE, SETTLE_MACHINE, FREED_MACHINE]);
  const keys = script === FREE_MACHINES ? machines : [pick(random, machines)];
  if (script === SETTLE_MACHINE) return { script, keys, args: [label, random.integer(0, 1), LONG_MS], shown: same };
  if (script === FREED_MACHINE) return { script, keys, args: [label, LONG_MS], shown: same };
  // A list of now, one that is too old, and one of later than anything.
  const listAt = pick(random, [0, Date.now() - LONG_MS, Date.now() + LONG_MS]);
  const args = [label, listAt, pick(random, [-LONG_MS / 2, LONG_MS / 2]), LONG_MS, LONG_MS / 2];
  return { script, keys, args, shown: same };
}

function reportCall(random: Random): Call {
  const key = "vast-pod:{1}:reports";
  const label = pick(random, ["a", "b", "c"]);
  const script = pick(random, [PUT_REPORT, PUT_REPORT, REMOVE_REPORT, READ_REPORTS]);
  if (script === REMOVE_REPORT) return { script, keys: [key], args: [label], shown: same };
  const observer = random.integer(0, 1);
  const report = `{"observer":${observer === 1},"n":${random.integer(0, 9)}}`;
  const args = [label, report, LONG_MS, LONG_MS, observer, pick(random, [-LONG_MS, LONG_MS])];
  if (script === PUT_REPORT) return { script, keys: [key, `${key}-swept`], args, shown: same };
  const shown = (answer: unknown) => {
    const [now, fields] = answer as [string, string[]];
    const pairs = fields.flatMap((text, i) =>
      i % 2 === 0 ? [`${text} ${fields[i + 1]?.replace(/^\{"at":\d{13},/, "{")}`] : [],
    );
    return [Math.abs(Number(now) - Date.now()) < LONG_MS / 2, pairs.sort()];
  };
  return { script, keys: [key], args: [], shown };
}

function recordCall(random: Random): Call {
  const keys = ["vast-pod:{1}:records"];
  const names = ["all", "m1", "m2", "h1", "h2", "h3"];
  if (random.chance(0.5)) {
    const shown = (answer: unknown) =>
      (answer as (string | null)[]).map((text) => text?.replace(/ \d{13}$/, "") ?? null);
    return { script: READ_RECORDS, keys, args: names, shown };
  }
  const numbers = Array.from({ length: 5 }, () => random.integer(0, 3_600_000));
  // Which records changed longest ago depends on the instants: no more than there can be.
  const args = [LONG_MS, names.length, pick(random, names), ...numbers, pick(random, names), ...numbers];
  return { script: ADD_RECORDS, keys, args, shown: same };
}

function bootCall(random: Random): Call {
  const keys = [`vast-pod:{1}:boots:${pick(random, ["a", "b"])}`];
  if (random.chance(0.5)) return { script: READ_BOOTS, keys, args: [], shown: same };
  const text = `${random.integer(0, 600_000)} ${random.integer(0, 90_000)}`;
  return { script: ADD_BOOT, keys, args: [LONG_MS, 4, text], shown: same };
}

test.each([
  ["the records of machines", recordCall],
  ["the starts", bootCall],
  ["reports", reportCall],
  ["shared readings", sharedReadingCall],
  ["the offer market", offerMarketCall],
])("the scripts of %s", async (_, callOf) => {
  for (const seed of [1, 2, 3]) {
    const random = seededRandom(seed, "calls");
    const simulated: ScriptRunner = sharedRedis(Date.now).connect(systemClock.sleep);
    const tag = (key: string) => key.replace("{1}", `{${seed}}`);
    const seen = new Set<string>();
    for (let n = 0; n < 300; n += 1) {
      const { script, keys, args, shown } = callOf(random);
      const [expected, actual] = await Promise.all([
        realRedis().evaluate(script, keys.map(tag), args),
        simulated.evaluate(script, keys.map(tag), args),
      ]);
      const what = `call ${n} of seed ${seed}: ${script.name} ${args.join(" ")}`;
      expect([what, shown(actual)]).toEqual([what, shown(expected)]);
      seen.add(`${script.name} ${JSON.stringify(shown(expected))}`);
    }
    expect(seen.size).toBeGreaterThan(6); // the calls had different answers
  }
});

test("of too many records those are forgotten that changed longest ago, but never the sum of all", async () => {
  for (const redis of [realRedis(), sharedRedis(Date.now).connect(systemClock.sleep)]) {
    const keys = ["vast-pod:{9}:records"];
    const add = (name: string) => redis.evaluate(ADD_RECORDS, keys, [LONG_MS, 4, name, 1, 0, 0, 0, 0]);
    for (const name of ["all", "m1", "m2", "m3"]) {
      expect(await add(name)).toBe(0);
      const since = Date.now();
      await until("the clock goes on", () => Date.now() > since);
    }
    expect(await add("m4")).toBe(1);
    const names = ["all", "m1", "m2", "m3", "m4"];
    const held = (await redis.evaluate(READ_RECORDS, keys, names)) as unknown[];
    expect(names.filter((_, i) => held[i] !== null)).toEqual(["all", "m2", "m3", "m4"]);
  }
});
