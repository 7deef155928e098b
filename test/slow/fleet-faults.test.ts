// Twenty real provisioners and one Redis server: the pod that reads for all is killed, stopped and cut off, and Redis is paused, restarted
// and emptied. In real time. Needs root.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { LONGEST_WITHOUT_LEADER_MS, patientRedis, untilAnotherLeads, untilReady } from "../integration/fleet.ts";
import { type RunningRedis, startRedis } from "../sandbox/redis.ts";
import { until } from "../sandbox/until.ts";
import {
  cutLeaderOffFromRedis,
  expectCreateSoonAfter,
  type FleetRedis,
  killLeader,
  LONGEST_MS,
  PODS,
  startTwentyPods,
  stopLeaderForAWhile,
  type TwentyPods,
  untilCreated,
  untilNoticed,
} from "./twenty-pods.ts";

// A pod notices within this time that its instance is gone, and wants a list.
const NOTICED_MS = 20_000;

interface OneServer extends FleetRedis {
  running: RunningRedis;
  client: ReturnType<typeof patientRedis>;
}

let fleet: TwentyPods<OneServer>;

// The tests share the fleet: it takes two minutes to start.
beforeAll(async () => {
  fleet = await startTwentyPods(async (sandbox, host) => {
    const running = await startRedis(sandbox, { host });
    const client = patientRedis(running.url);
    return { url: running.url, running, client, get: (key) => client.get(key) };
  });
}, LONGEST_MS);
afterAll(async () => {
  fleet?.redis.client.disconnect();
  await fleet?.close();
}, LONGEST_MS);
afterEach(() => fleet.expectSound());

const seconds = async (count: number) => {
  const from = performance.now();
  await until(`${count} s have passed`, () => performance.now() - from >= count * 1000, { timeoutMs: count * 2000 });
};

test(
  "all pods start, although the leader is killed, and Redis is paused and forgets everything",
  async () => {
    const { client } = fleet.redis;
    await untilCreated(fleet, 3);
    await killLeader(fleet);
    await untilCreated(fleet, 6);
    await expectCreateSoonAfter(fleet, () => client.flushall());
    await untilCreated(fleet, 9);
    await client.call("CLIENT", "PAUSE", "5000", "ALL");
    await untilReady(fleet.members, LONGEST_MS);
  },
  2 * LONGEST_MS,
);

test(
  "another pod leads when the leader is stopped, and the stopped one knows it when it goes on",
  () => stopLeaderForAWhile(fleet),
  LONGEST_MS,
);

test(
  "another pod leads when the leader is cut off from Redis, and both serve",
  () => cutLeaderOffFromRedis(fleet),
  LONGEST_MS,
);

test(
  "another pod leads when the leader is cut off from the API, and reads for one that needs a new instance",
  async () => {
    const { members, lead, apiHost } = fleet;
    const { leader, host } = await fleet.leading();
    const needy = members.filter((one) => one !== leader).slice(-1);
    await host.cutOff(apiHost);
    try {
      await fleet.lose(needy);
      const [afterMs] = await Promise.all([untilAnotherLeads(members, lead, leader), untilNoticed(needy)]);
      expect(afterMs).toBeLessThan(NOTICED_MS + LONGEST_WITHOUT_LEADER_MS);
      await untilReady(needy, 60_000);
    } finally {
      await host.reconnect(apiHost);
    }
    await untilReady(members, 30_000);
  },
  LONGEST_MS,
);

test(
  "pods that lose their instance while Redis is away, and then has forgotten everything, get one each",
  async () => {
    const { running } = fleet.redis;
    const from = Date.now();
    running.server.signal("SIGKILL");
    await fleet.lose(fleet.members.slice(0, 3));
    await seconds(15);
    await startRedis(fleet.pod.sandbox, { host: fleet.redisHost, port: running.port });
    const back = Date.now();
    const isEnough = async () => (await fleet.createdSince(from)) === 3;
    await until("all have another instance", isEnough, { timeoutMs: LONGEST_MS });
    await untilReady(fleet.members, 60_000);
    const atOnce = (await fleet.callsSince(back)).filter(({ at }) => Date.parse(at) < back + 10_000);
    expect(atOnce.length).toBeLessThanOrEqual(2 * PODS);
  },
  LONGEST_MS,
);
