// Starts a real Redis Cluster in a sandbox: three primaries on loopback, with a replica each where a test wants them. They write nothing
// but their node file.
import { Redis } from "ioredis";
import { type RunningRedis, startRedis } from "./redis.ts";
import type { Sandbox } from "./sandbox.ts";
import { until } from "./until.ts";

export interface RunningCluster {
  /** Of all nodes, with the password. */
  readonly url: string;
  readonly nodes: readonly RunningRedis[];
  /** The primary that got the slot of this key at the start. */
  primaryOf(key: string): Promise<RunningRedis>;
  /** The value of a key, on whichever node it is. */
  get(key: string): Promise<string | null>;
  /** All keys of all nodes. */
  keys(pattern: string): Promise<string[]>;
}

const SLOTS = 16_384;
const PRIMARIES = 3;
const firstSlot = (primary: number) => Math.ceil((primary * SLOTS) / PRIMARIES);

export async function startCluster(
  sandbox: Sandbox,
  password: string,
  { replicas = false }: { replicas?: boolean } = {},
): Promise<RunningCluster> {
  const nodes: RunningRedis[] = [];
  const busPorts: string[] = [];
  const count = replicas ? 2 * PRIMARIES : PRIMARIES;
  for (let i = 0; i < count; i += 1) {
    const busPort = String(await sandbox.port());
    busPorts.push(busPort);
    const cluster = ["--cluster-enabled", "yes", "--cluster-port", busPort, "--cluster-node-timeout", "2000"];
    const login = ["--requirepass", password, "--masterauth", password];
    nodes.push(await startRedis(sandbox, { args: [...cluster, ...login], folder: `node-${i}` }));
  }
  const clients = nodes.map(({ port }) => new Redis({ host: "127.0.0.1", port, password }));
  try {
    for (const [i, client] of clients.slice(0, PRIMARIES).entries())
      await client.call("CLUSTER", "ADDSLOTSRANGE", firstSlot(i), firstSlot(i + 1) - 1);
    for (const [i, { port }] of nodes.entries())
      await clients[0]?.call("CLUSTER", "MEET", "127.0.0.1", port, busPorts[i] ?? "");
    const says = (text: string) => async (client: Redis) => String(await client.call("CLUSTER", "INFO")).includes(text);
    const all = async (check: (client: Redis) => Promise<boolean>) =>
      (await Promise.all(clients.map(check))).every(Boolean);
    await until("all nodes know each other", () => all(says(`cluster_known_nodes:${count}`)));
    for (const [i, client] of clients.slice(PRIMARIES).entries())
      await client.call("CLUSTER", "REPLICATE", String(await clients[i]?.call("CLUSTER", "MYID")));
    await until("the Cluster is complete", () => all(says("cluster_state:ok")));
    const hasReplica = async (client: Redis) => /slave0:.*state=online/.test(await client.info("replication"));
    const primaries = clients.slice(0, PRIMARIES);
    if (replicas)
      await until("the replicas follow", async () => (await Promise.all(primaries.map(hasReplica))).every(Boolean));
  } finally {
    for (const client of clients) client.disconnect();
  }
  const ask = async <T>(command: (node: Redis) => Promise<T>): Promise<T[]> => {
    const each = nodes.map(async ({ port }) => {
      const node = new Redis({ host: "127.0.0.1", port, password, retryStrategy: () => null });
      node.on("error", () => undefined); // a test may have ended it
      try {
        return [await command(node)];
      } catch {
        return []; // the key is on another node, or this one has ended
      } finally {
        node.disconnect();
      }
    });
    return (await Promise.all(each)).flat();
  };
  return {
    url: `redis+cluster://:${password}@${nodes.map(({ port }) => `127.0.0.1:${port}`).join()}`,
    nodes,
    primaryOf: async (key) => {
      const [slot] = await ask((node) => node.call("CLUSTER", "KEYSLOT", key));
      const primary = nodes.find((_, i) => Number(slot) < firstSlot(i + 1));
      if (primary === undefined) throw new Error(`no node has the slot ${slot}`);
      return primary;
    },
    get: async (key) => (await ask((node) => node.get(key)))[0] ?? null,
    keys: async (pattern) => (await ask((node) => node.keys(pattern))).flat(),
  };
}
