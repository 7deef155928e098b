// Twenty real provisioners on a Redis of several servers, in two forms: a Cluster, and a primary with a replica behind Sentinels. The pod
// that reads for all is killed, stopped and cut off. A server with what the pods share is killed, frozen, emptied, paused and restarted, so
// that a replica follows it or that everything is forgotten. In real time. Needs root.
//
// After each fault the same must hold as with one server, see `expectSound`: a failover may lose what the replica has not got yet, like the
// last turn, and that may cost neither a second instance nor the service of a pod. In a Cluster the keys of the account are on one node and
// the turns of its API key on another: each of the two meets faults. Behind Sentinels both are on one server.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { untilReady } from "../integration/fleet.ts";
import { startCluster } from "../sandbox/redis-cluster.ts";
import { type RedisNode, type ReplicatedRedis, untilFollowed, valueIn } from "../sandbox/redis-nodes.ts";
import { startSentinels } from "../sandbox/redis-sentinel.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { until } from "../sandbox/until.ts";
import {
  cutLeaderOffFromRedis,
  expectCreateSoonAfter,
  type FleetRedis,
  killLeader,
  LONGEST_MS,
  startTwentyPods,
  stopLeaderForAWhile,
  type TwentyPods,
  untilCreated,
  untilNoticed,
} from "./twenty-pods.ts";

const PASSWORDS = { redis: "redis-password-5Tn", sentinel: "sentinel-password-2Vb" };

interface Form {
  name: string;
  start: (sandbox: Sandbox, host: string) => Promise<ReplicatedRedis>;
  /** The account's keys and the turns are on different servers. */
  apart: boolean;
}
const FORMS: Form[] = [
  {
    name: "a Redis Cluster",
    start: (sandbox, host) => startCluster(sandbox, PASSWORDS.redis, { replicas: true, host }),
    apart: true,
  },
  {
    name: "a Redis behind Sentinels",
    start: (sandbox, host) => startSentinels(sandbox, PASSWORDS, host),
    apart: false,
  },
];

describe.each(FORMS.map((form) => [form.name, form] as const))("twenty pods with %s", (_, { start, apart }) => {
  let fleet: TwentyPods<FleetRedis & ReplicatedRedis>;
  // The tests share the fleet: it takes two minutes to start.
  beforeAll(async () => {
    fleet = await startTwentyPods(async (sandbox, host) => {
      const redis = await start(sandbox, host);
      return { ...redis, get: (key) => valueIn(redis, key) };
    });
  }, LONGEST_MS);
  afterAll(() => fleet?.close(), LONGEST_MS);
  afterEach(() => fleet.expectSound());

  const primaryOf = (key: string) => fleet.redis.primaryOf(key);
  const kill = async ({ server }: RedisNode) => {
    server.signal("SIGKILL");
    await server.exited;
  };
  /** Waits until another node takes the writes of this key. */
  const untilFailover = (key: string, before: RedisNode) =>
    until("a replica has followed", async () => (await primaryOf(key)) !== before, { timeoutMs: 60_000 });
  /** Waits until the node follows another one, as it does once it has heard that it is no primary any more. */
  const untilFollows = async (node: RedisNode, key: string) => {
    const isReplica = () => node.ask(async (one) => /^role:slave/m.test(await one.info("replication")));
    await until("the former primary follows the new one", isReplica, { timeoutMs: 60_000 });
    await untilFollowed(await primaryOf(key));
  };

  test(
    "all start, although the leader is killed, and what they share fails over, is forgotten, and is paused",
    async () => {
      const { keys, createGate } = fleet.pod;
      await untilCreated(fleet, 2);
      await killLeader(fleet);
      await untilCreated(fleet, 4);
      const first = await primaryOf(keys.lead);
      expect((await primaryOf(createGate)) !== first).toBe(apart);
      await expectCreateSoonAfter(fleet, () => kill(first));
      await untilFailover(keys.lead, first);
      await untilCreated(fleet, 7);
      await first.startAgain();
      await untilFollows(first, keys.lead);
      const flush = async () => (await primaryOf(createGate)).ask((one) => one.flushall());
      await expectCreateSoonAfter(fleet, flush);
      await untilCreated(fleet, 10);
      await (await primaryOf(createGate)).ask((one) => one.call("CLIENT", "PAUSE", "5000", "ALL"));
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
    "another pod leads when the leader is cut off from all servers of Redis, and both serve",
    () => cutLeaderOffFromRedis(fleet),
    LONGEST_MS,
  );

  test(
    "pods that lose their instance while the server with the turns is frozen get one each, also when it comes back",
    async () => {
      const { createGate } = fleet.pod;
      const needy = fleet.members.slice(0, 2);
      const from = Date.now();
      const frozen = await primaryOf(createGate);
      frozen.server.signal("SIGSTOP");
      try {
        await fleet.lose(needy);
        await Promise.all([untilFailover(createGate, frozen), untilNoticed(needy)]);
      } finally {
        frozen.server.signal("SIGCONT");
      }
      await untilReady(fleet.members, 90_000);
      await untilFollows(frozen, createGate);
      expect(await fleet.createdSince(from)).toBe(needy.length);
    },
    LONGEST_MS,
  );

  test(
    "pods that lose their instance while the server with what they share starts again without data get one each",
    async () => {
      const { keys } = fleet.pod;
      const needy = fleet.members.slice(2, 4);
      const from = Date.now();
      const primary = await primaryOf(keys.lead);
      await fleet.lose(needy);
      await kill(primary);
      await primary.startAgain();
      await untilNoticed(needy);
      await untilReady(fleet.members, 90_000);
      expect(await fleet.createdSince(from)).toBe(needy.length);
    },
    LONGEST_MS,
  );
});
