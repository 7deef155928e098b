import { expect, test } from "vitest";
import { ADD_BOOT, createBootStore } from "../../../../provisioner/fleet/boot-store.ts";
import { fleetKeys, shortHash } from "../../../../provisioner/fleet/keys.ts";
import { sharedRedis } from "../../../simulation/redis.ts";

const DAY = 86_400_000;
const keys = fleetKeys(7);

function store() {
  const clock = { now: 1_800_000_000_000 };
  const shared = sharedRedis(() => clock.now);
  const redis = shared.connect(async () => undefined);
  return { clock, shared, redis, boots: createBootStore({ redis, keys: () => keys, token: "a" }) };
}

test("what pods add is known for each image, the latest eight, in whole ms", async () => {
  const { boots } = store();
  for (let n = 1; n <= 9; n += 1) await boots.add("a", [n * 1000.4, n]);
  await boots.add("b", [5, 6]);
  const held = await boots.read("a");
  expect(held).toHaveLength(8);
  expect([held?.at(0), held?.at(-1)]).toEqual([
    [2001, 2],
    [9004, 9],
  ]);
  expect(await boots.read("b")).toEqual([[5, 6]]);
  expect(await boots.read("c")).toEqual([]);
});

test("an image that nobody starts for 30 days is forgotten", async () => {
  const { boots, clock } = store();
  await boots.add("a", [1, 2]);
  clock.now += 30 * DAY - 1;
  expect(await boots.read("a")).toEqual([[1, 2]]);
  clock.now += 1;
  expect(await boots.read("a")).toEqual([]);
});

test("nothing is known while Redis does not answer, without a fleet, and before the account is known", async () => {
  const { shared, redis, boots } = store();
  shared.away = true;
  expect(await boots.read("a")).toBeNull();
  await boots.add("a", [1, 2]);
  shared.away = false;
  expect(await boots.read("a")).toEqual([]);
  for (const other of [null, { redis, keys: () => null, token: "a" }]) {
    await createBootStore(other).add("a", [1, 2]);
    expect(await createBootStore(other).read("a")).toBeNull();
  }
});

test("a start of another form is unknown", async () => {
  const { redis, boots } = store();
  for (const text of ["x 1", "3 4", "-1 2"])
    await redis.evaluate(ADD_BOOT, [keys.boots(shortHash("a"))], [DAY, 8, text]);
  expect(await boots.read("a")).toEqual([[3, 4]]);
});
