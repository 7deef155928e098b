// The scripts of the shared instance list on a real Redis and their copies in the simulated one give the same answers to the same random
// calls.
import { expect, test } from "vitest";
import { systemClock } from "../../common/clock.ts";
import { fleetKeys } from "../../provisioner/fleet/keys.ts";
import { createSnapshot, type Snapshot } from "../../provisioner/fleet/snapshot.ts";
import { type Random, seededRandom } from "../emulator/random.ts";
import { sharedRedis } from "../simulation/redis.ts";
import { useRealRedis } from "./real-redis.ts";

const realRedis = useRealRedis();

const HOUR_MS = 3_600_000;
const LABELS = ["k8s_pod=a-0", "k8s_pod=a-1", "k8s_pod=b", "odd label: é"];
const TOKENS = ["one", "two"] as const;

/** A random call, with the part of its answer that does not depend on the instant: times are hours apart. */
function drawCall(random: Random, began: number): (snapshot: Snapshot) => Promise<unknown> {
  const label = LABELS[random.integer(0, LABELS.length - 1)] ?? "";
  const token = random.pick(TOKENS);
  const hours = (ms: number) => Math.round((ms - began) / HOUR_MS);
  switch (random.integer(0, 6)) {
    case 0: {
      const entry = { askedAt: began - random.integer(0, 5) * HOUR_MS, rows: [] };
      const trouble = { at: began, why: { message: "it said so", account: random.pick([null, "auth"] as const) } };
      const failed = random.chance(0.3) ? trouble : null;
      return (snapshot) => snapshot.publish(token, new Map([[label, entry]]), failed);
    }
    case 1:
      return async (snapshot) => snapshot.resign(token);
    case 2:
    case 3: {
      const [most, withAll] = [random.integer(1, 3), random.chance(0.5)];
      return async (snapshot) => {
        const lead = await snapshot.lead(token, most, withAll);
        if (lead === null) return null;
        const next = lead.next.map((one) => [one.label, hours(one.dueAt)]);
        return { ...lead, now: hours(lead.now), next, all: [...lead.all].sort() };
      };
    }
    default: {
      const periodMs = random.integer(0, 4) * HOUR_MS;
      const after = random.pick([0, began - 3 * HOUR_MS, began, "now"] as const);
      return async (snapshot) => {
        const look = await snapshot.look(label, periodMs, after);
        return { ...look, now: hours(look.now) };
      };
    }
  }
}

test("the scripts of the shared instance list", async () => {
  const began = Date.now();
  const answers = new Set<string>();
  for (const seed of [1, 2, 3, 4, 5]) {
    const random = seededRandom(seed, "calls");
    const keys = fleetKeys(seed);
    const [expected, actual] = [realRedis(), sharedRedis(Date.now).connect(systemClock.sleep)].map((redis) =>
      createSnapshot(redis, keys),
    );
    if (expected === undefined || actual === undefined) throw new Error("two are made above");
    for (let n = 0; n < 300; n += 1) {
      const call = drawCall(random, began);
      const answer = await call(expected);
      expect([seed, n, await call(actual)]).toEqual([seed, n, answer]);
      await systemClock.sleep(2); // two labels due in one millisecond of one clock, and not of the other, would change places
      answers.add(JSON.stringify(answer) ?? "");
    }
  }
  expect(answers.size).toBeGreaterThan(60); // the calls had different answers
});
