import { expect, test } from "vitest";
import { fleetKeys } from "../../../../provisioner/fleet/keys.ts";
import { ADD_RECORDS, createMachineRecordStore } from "../../../../provisioner/fleet/machine-records.ts";
import { sharedRedis } from "../../../simulation/redis.ts";

const NOW = 1_800_000_000_000;
const keys = fleetKeys(7);

function store(shared = sharedRedis(() => NOW)) {
  const redis = shared.connect(async () => undefined);
  return { shared, redis, records: createMachineRecordStore({ redis, keys: () => keys, token: "a" }) };
}

test("what pods add is summed up for each machine", async () => {
  const { records } = store();
  expect(await records.add([["m1", [1, 60_000, 0, 0, 0.4]]])).toBe(true);
  await records.add([
    ["m1", [0, 0, 1, 1, 3_600_000]],
    ["h2", [1, 5, 0, 0, 0]],
  ]);
  expect(await records.read(["m1", "h2", "m3"])).toEqual(
    new Map([
      ["m1", [1, 60_000, 1, 1, 3_600_000]],
      ["h2", [1, 5, 0, 0, 0]],
    ]),
  );
});

test("nothing is known while Redis does not answer, without a fleet, and before the account is known", async () => {
  const { shared, redis, records } = store();
  shared.away = true;
  expect(await records.read(["m1"])).toBeNull();
  expect(await records.add([["m1", [1, 0, 0, 0, 0]]])).toBe(false);
  for (const other of [null, { redis, keys: () => null, token: "a" }]) {
    expect(await createMachineRecordStore(other).read(["m1"])).toBeNull();
    expect(await createMachineRecordStore(other).add([["m1", [1, 0, 0, 0, 0]]])).toBe(false);
  }
});

test("a record of another form is unknown", async () => {
  const { redis, records } = store();
  await redis.evaluate(ADD_RECORDS, [keys.records], [1000, 10, "m1", "x", 0, 0, 0, 0]);
  expect(await records.read(["m1"])).toEqual(new Map());
});
