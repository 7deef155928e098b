import { expect, test } from "vitest";
import { connectRecords } from "../../../../provisioner/commands/fleet-records.ts";
import { fleetKeys } from "../../../../provisioner/fleet/keys.ts";
import { startState } from "../../../../provisioner/loop-state.ts";
import { EMPTY_RECORD, NO_RECORDS, type Records } from "../../../../provisioner/state/records.ts";
import { sharedRedis } from "../../../simulation/redis.ts";
import { NOW, offer, state } from "../plan/situation.ts";

const keys = fleetKeys(7);
const boots = (count: number) => ({ ...EMPTY_RECORD, boots: count });
const offers = [offer({ hostId: 5, machineId: 50 })];
const counted = (own: Records, unsent: Records) => state({ records: { ...NO_RECORDS, own, unsent } });

function pods() {
  const redis = sharedRedis(() => NOW);
  const connect = () => connectRecords({ redis: redis.connect(async () => undefined), keys: () => keys, token: "a" });
  return { redis, one: connect(), other: connect() };
}

test("what one pod has counted is known to the others, and sent once", async () => {
  const { redis, one, other } = pods();
  const loop = startState(counted({ m50: boots(1) }, { m50: boots(1) }), NOW);
  await one.send(loop);
  expect(loop.state.records).toMatchObject({ own: { m50: boots(1) }, unsent: {} });
  const before = redis.operations();
  await one.send(loop);
  expect(redis.operations()).toBe(before);
  expect(await other.of(offers, state())).toEqual({ m50: boots(1) });
});

test("what is not sent yet counts for this pod already", async () => {
  const { one, other } = pods();
  await one.send(startState(counted({}, { m50: boots(1), h5: boots(1) }), NOW));
  expect(await other.of(offers, counted({ m50: boots(9) }, { m50: boots(2) }))).toEqual({
    m50: boots(3),
    h5: boots(1),
  });
});

test("while Redis is away each pod uses its own records, and keeps what is to be sent", async () => {
  const { redis, one } = pods();
  redis.away = true;
  const loop = startState(counted({ m50: boots(1) }, { m50: boots(1) }), NOW);
  await one.send(loop);
  expect(loop.state.records.unsent).toEqual({ m50: boots(1) });
  expect(await one.of(offers, loop.state)).toEqual({ m50: boots(1) });
});

test("without a fleet each pod has its own records, and nothing waits to be sent", async () => {
  const loop = startState(counted({ m50: boots(1) }, { m50: boots(1) }), NOW);
  await connectRecords(null).send(loop);
  expect(loop.state.records).toMatchObject({ own: { m50: boots(1) }, unsent: {} });
  expect(await connectRecords(null).of(offers, counted({ m50: boots(1) }, {}))).toEqual({ m50: boots(1) });
});
