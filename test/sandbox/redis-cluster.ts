// Starts a real Redis Cluster in a sandbox: three primaries on loopback that write nothing but their node file.
import { Redis } from "ioredis";
import { type RunningRedis, startRedis } from "./redis.ts";
import type { Sandbox } from "./sandbox.ts";
import { until } from "./until.ts";

export interface RunningCluster {
  /** Of all nodes, with the password. */
  readonly url: string;
  readonly nodes: readonly RunningRedis[];
  /** The value of a key, on whichever node it is. */
  get(key: string): Promise<string | null>;
  /** All keys of all nodes. */
  keys(pattern: string): Promise<string[]>;
}

const SLOTS = 16_384;
const PRIMARIES = 3;

export async function startCluster(sandbox: Sandbox, password: string): Promise<RunningCluster> {
  const nodes: RunningRedis[] = [];
  const busPorts: string[] = [];
  for (let i = 0; i < PRIMARIES; i += 1) {
    const busPort = String(await sandbox.port());
    busPorts.push(busPort);
    const args = ["--cluster-enabled", "yes", "--cluster-port", busPort, "--cluster-node-timeout", "2000"];
    nodes.push(await startRedis(sandbox, { args: [...args, "--requirepass", password], folder: `node-${i}` }));
  }
  const clients = nodes.map(({ port }) => new Redis({ host: "127.0.0.1", port, password }));
  try {
    for (const [i, client] of clients.entries()) {
      const from = Math.ceil((i * SLOTS) / PRIMARIES);
      await client.call("CLUSTER", "ADDSLOTSRANGE", from, Math.ceil(((i + 1) * SLOTS) / PRIMARIES) - 1);
    }
    for (const [i, { port }] of nodes.entries())
      await clients[0]?.call("CLUSTER", "MEET", "127.0.0.1", port, busPorts[i] ?? "");
    const isComplete = async (client: Redis) => {
      const info = String(await client.call("CLUSTER", "INFO"));
      return info.includes("cluster_state:ok") && info.includes(`cluster_known_nodes:${PRIMARIES}`);
    };
    await until("all nodes know the Cluster", async () => (await Promise.all(clients.map(isComplete))).every(Boolean));
  } finally {
    for (const client of clients) client.disconnect();
  }
  const ask = async <T>(command: (node: Redis) => Promise<T>): Promise<T[]> => {
    const each = nodes.map(async ({ port }) => {
      const node = new Redis({ host: "127.0.0.1", port, password });
      try {
        return [await command(node)];
      } catch {
        return []; // the key is on another node
      } finally {
        node.disconnect();
      }
    });
    return (await Promise.all(each)).flat();
  };
  return {
    url: `redis+cluster://:${password}@${nodes.map(({ port }) => `127.0.0.1:${port}`).join()}`,
    nodes,
    get: async (key) => (await ask((node) => node.get(key)))[0] ?? null,
    keys: async (pattern) => (await ask((node) => node.keys(pattern))).flat(),
  };
}
