// Starts a real Redis Cluster in a sandbox: three primaries, with a replica each where a test wants them.
import { type RedisNode, type ReplicatedRedis, startNode, untilFollowed } from "./redis-nodes.ts";
import type { Sandbox } from "./sandbox.ts";
import { until } from "./until.ts";

export interface RunningCluster extends ReplicatedRedis {
  /** All keys of all nodes. */
  keys(pattern: string): Promise<string[]>;
}

export interface ClusterOptions {
  replicas?: boolean;
  /** The address of this machine by which programs and nodes reach the nodes; loopback unless named. */
  host?: string;
}

const SLOTS = 16_384;
const PRIMARIES = 3;
const firstSlot = (primary: number) => Math.ceil((primary * SLOTS) / PRIMARIES);

export async function startCluster(
  sandbox: Sandbox,
  password: string,
  { replicas = false, host = "127.0.0.1" }: ClusterOptions = {},
): Promise<RunningCluster> {
  const nodes: RedisNode[] = [];
  const busPorts: string[] = [];
  const count = replicas ? 2 * PRIMARIES : PRIMARIES;
  for (let i = 0; i < count; i += 1) {
    const busPort = String(await sandbox.port());
    busPorts.push(busPort);
    // The address from which a node calls another one may be one on which it does not listen.
    const reached = ["--cluster-announce-ip", host, "--cluster-port", busPort];
    const args = ["--cluster-enabled", "yes", ...reached, "--cluster-node-timeout", "2000"];
    nodes.push(await startNode(sandbox, { host, password, database: 0, args, folder: `node-${i}` }));
  }
  const primaries = nodes.slice(0, PRIMARIES);
  for (const [i, primary] of primaries.entries())
    await primary.ask((one) => one.call("CLUSTER", "ADDSLOTSRANGE", firstSlot(i), firstSlot(i + 1) - 1));
  for (const [i, { port }] of nodes.entries())
    await nodes[0]?.ask((one) => one.call("CLUSTER", "MEET", host, port, busPorts[i] ?? ""));
  const allSay = (text: string) => async () => {
    const infos = await Promise.all(nodes.map((node) => node.ask((one) => one.call("CLUSTER", "INFO"))));
    return infos.every((info) => String(info).includes(text));
  };
  await until("all nodes know each other", allSay(`cluster_known_nodes:${count}`));
  for (const [i, replica] of nodes.slice(PRIMARIES).entries()) {
    const id = await primaries[i]?.ask((one) => one.call("CLUSTER", "MYID"));
    await replica.ask((one) => one.call("CLUSTER", "REPLICATE", String(id)));
  }
  await until("the Cluster is complete", allSay("cluster_state:ok"));
  if (replicas) await Promise.all(primaries.map(untilFollowed));
  return {
    url: `redis+cluster://:${password}@${nodes.map(({ port }) => `${host}:${port}`).join()}`,
    nodes,
    // The others refuse to look at the key: it is "moved", also for the replicas of its primary.
    primaryOf: (key) => Promise.any(nodes.map((node) => node.ask((one) => one.type(key)).then(() => node))),
    keys: async (pattern) => {
      const found = await Promise.all(nodes.map((node) => node.ask((one) => one.keys(pattern))));
      return [...new Set(found.flat())];
    },
  };
}
