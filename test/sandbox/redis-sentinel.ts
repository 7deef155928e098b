// Starts a real primary with a replica and Sentinels in a sandbox.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Redis } from "ioredis";
import { type RedisNode, type ReplicatedRedis, startNode, untilFollowed } from "./redis-nodes.ts";
import type { Sandbox } from "./sandbox.ts";
import { until } from "./until.ts";

export interface RunningSentinels extends ReplicatedRedis {
  /** At the start. */
  readonly primary: RedisNode;
  readonly replica: RedisNode;
}

const SENTINELS = 3;
const NAME = "main";

/** The URL names database 10. `host`: the address of this machine by which all reach each other; loopback unless named. */
export async function startSentinels(
  sandbox: Sandbox,
  passwords: { redis: string; sentinel: string },
  host = "127.0.0.1",
): Promise<RunningSentinels> {
  const common = { host, password: passwords.redis, database: 10 };
  const announced = ["--replica-announce-ip", host];
  const primary = await startNode(sandbox, { ...common, args: announced, folder: "primary" });
  const replica = await startNode(sandbox, { ...common, args: announced, folder: "replica" });
  const nodes = [primary, replica];
  await replica.ask((one) => one.replicaof(host, primary.port));
  await untilFollowed(primary);
  const ports: number[] = [];
  for (let i = 0; i < SENTINELS; i += 1) {
    const port = await sandbox.port();
    const file = join(await sandbox.subfolder(`sentinel-${i}`), "sentinel.conf");
    const lines = [
      `sentinel monitor ${NAME} ${host} ${primary.port} 2`,
      `sentinel auth-pass ${NAME} ${passwords.redis}`,
      `sentinel down-after-milliseconds ${NAME} 1000`,
      `sentinel failover-timeout ${NAME} 5000`,
      // The address from which a Sentinel calls another one may be one on which it does not listen.
      `sentinel announce-ip ${host}`,
      `sentinel sentinel-pass ${passwords.sentinel}`,
      `requirepass ${passwords.sentinel}`,
    ];
    await writeFile(file, `${lines.join("\n")}\n`);
    const flags = [file, "--sentinel", "--port", String(port), "--bind", host];
    await sandbox.start({ name: `sentinel ${i}`, program: "redis-server", args: flags });
    ports.push(port);
  }
  const ask = async <T>(port: number, command: (sentinel: Redis) => Promise<T>): Promise<T> => {
    const sentinel = new Redis({ host, port, password: passwords.sentinel, maxRetriesPerRequest: 0 });
    sentinel.on("error", () => undefined); // it has not started yet
    try {
      return await command(sentinel);
    } finally {
      sentinel.disconnect();
    }
  };
  const knows = async (port: number) => {
    const [one] = (await ask(port, (sentinel) => sentinel.call("SENTINEL", "MASTERS"))) as string[][];
    const fields = new Map((one ?? []).flatMap((name, i, all) => (i % 2 === 0 ? [[name, all[i + 1]]] : [])));
    return fields.get("num-slaves") === "1" && fields.get("num-other-sentinels") === String(SENTINELS - 1);
  };
  await until(
    "the Sentinels know each other and the replica",
    async () => (await Promise.all(ports.map(knows))).every(Boolean),
    { timeoutMs: 60_000, everyMs: 500 },
  );
  return {
    url: `redis+sentinel://:${passwords.redis}@${ports.map((port) => `${host}:${port}`).join()}/${NAME}/10?sentinelPassword=${passwords.sentinel}`,
    nodes,
    primary,
    replica,
    primaryOf: async () => {
      const named = await Promise.any(
        ports.map((port) => ask(port, (one) => one.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME))),
      );
      const [, port] = named as [string, string];
      const node = nodes.find((one) => one.port === Number(port));
      if (node === undefined) throw new Error(`the Sentinels name ${String(named)}`);
      return node;
    },
  };
}
