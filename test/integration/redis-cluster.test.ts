// Bans and lease in a real Redis Cluster with a password: three primaries, so that keys are in different slots of different nodes.
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../common/clock.ts";
import { createLogger } from "../../common/logging.ts";
import { createBanStore } from "../../provisioner/blacklist/store.ts";
import { connectRedis, type RedisConnection } from "../../provisioner/redis/connection.ts";
import { type RunningCluster, startCluster } from "../sandbox/redis-cluster.ts";
import { valueIn } from "../sandbox/redis-nodes.ts";
import { until } from "../sandbox/until.ts";
import { logOf, openPod, type Pod } from "./pod.ts";
import { untilConnected } from "./real-redis.ts";
import { addressOf } from "./redis-address.ts";

const PASSWORD = "cluster-password-8Kd";

let pod: Pod;
let cluster: RunningCluster;
beforeEach(async () => {
  pod = await openPod();
  cluster = await startCluster(pod.sandbox, PASSWORD);
});
afterEach(() => pod.close());

async function connected<T>(url: string, work: (connection: RedisConnection) => Promise<T>): Promise<T> {
  const log = createLogger({ app: "test", debug: true, secrets: () => [], destination: { write: () => undefined } });
  const connection = connectRedis(addressOf(url), log, systemClock);
  try {
    await untilConnected(connection);
    return await work(connection);
  } finally {
    connection.close();
  }
}
const times = { banTtlSeconds: 1000, restartTtlSeconds: 500, banAfterSeconds: 30 };
const ids = Array.from({ length: 40 }, (_, i) => i + 1);

test("the bans and counters of all nodes are read and written", () =>
  connected(cluster.url, async (connection) => {
    const store = createBanStore(connection, systemClock, times);
    for (const id of ids) {
      await store.ban(id % 2 === 0 ? "host" : "machine", id, "host_failed");
      await store.countRestarts(id, id);
    }
    const bans = await store.bans();
    expect(bans.known && bans.value.map(({ id }) => id).sort((a, b) => a - b)).toEqual(ids);
    const counters = await store.counters(ids);
    expect(ids.map((id) => counters.get(id)?.restarts)).toEqual(ids);
  }));

test("the scan goes on from node to node, and finds each key once, however it is cut", () =>
  connected(cluster.url, async (connection) => {
    for (const id of ids) await connection.setWithTtl(`ban_${id}`, "by hand", 1000);
    const found: string[] = [];
    let [cursor, steps] = ["0", 0];
    do {
      const [next, keys] = await connection.scan(cursor, "ban_*");
      found.push(...keys);
      cursor = next;
      steps += 1;
    } while (cursor !== "0");
    expect(new Set(found).size).toBe(ids.length);
    expect(steps).toBe(3);
  }));

test("two provisioners of one label: one acts, with lease and copy of the state in the Cluster, and one is blocked", async () => {
  const banned = 77001;
  await connected(cluster.url, (connection) => connection.setWithTtl(`ban_${banned}`, "by hand", 1000));
  const env = { BLACKLIST_ENABLED: "true", BLACKLIST_REDIS_URL: cluster.url };
  const first = await pod.provision(env);
  const { instance } = await pod.ready(30_000);
  expect(instance?.hostId).not.toBe(banned);
  const mine = [pod.keys.lease(pod.label), pod.keys.pod(pod.label)];
  expect(await cluster.keys("vast-pod:*")).toEqual(expect.arrayContaining(mine));
  expect(await valueIn(cluster, pod.keys.pod(pod.label))).toContain(`"label":"${pod.label}"`);

  const folder = await pod.sandbox.subfolder("other");
  const port = String(await pod.sandbox.port());
  const own = { STATE_PATH: `${folder}/p.json`, UPSTREAM_PATH: `${folder}/u.json`, PROVISIONER_STATUS_PORT: port };
  await pod.provision({ ...env, ...own, VAST_TEMPLATE_IMAGE: "example/app:3" });
  await until("the second is blocked", async () => {
    const status = await (await fetch(`http://127.0.0.1:${port}/status`)).json();
    return JSON.stringify(status).includes("other_owner");
  });
  await first.stop();
  const replaced = async () => (await pod.emulator.live(pod.label)).some((one) => one.id !== instance?.id);
  await until("the second has the label and replaces the image", replaced, { timeoutMs: 60_000 });
  expect(await pod.everything()).not.toContain(PASSWORD);
});

test("a node that is gone is named by the log, and the instance goes on serving", async () => {
  const provisioner = await pod.provision({ FLEET_REDIS_URL: cluster.url });
  const { server } = await pod.ready(30_000);
  for (const { server: node } of cluster.nodes) node.signal("SIGKILL");
  const warned = () => logOf(provisioner).find(({ event, level }) => event === "redis" && level === "warn");
  const line = await until("it is logged", warned, { timeoutMs: 30_000 });
  expect(line.msg).toMatch(
    /^Redis is (unreachable|busy): until it is back the lease is not renewed, and each pod lists and takes its turn alone/,
  );
  expect((await pod.upstream())?.server).toEqual(server);
  expect(provisioner.exit()).toBeNull();
});
