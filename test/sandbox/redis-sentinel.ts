// Starts a real primary with a replica and Sentinels in a sandbox.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Redis } from "ioredis";
import { type RunningRedis, startRedis } from "./redis.ts";
import type { Sandbox } from "./sandbox.ts";
import { until } from "./until.ts";

export interface RunningSentinels {
  /** Of all Sentinels, with all passwords, and database 10. */
  readonly url: string;
  readonly primary: RunningRedis;
  readonly replica: RunningRedis;
}

const SENTINELS = 3;
const NAME = "main";

export async function startSentinels(
  sandbox: Sandbox,
  passwords: { redis: string; sentinel: string },
): Promise<RunningSentinels> {
  const args = ["--requirepass", passwords.redis, "--masterauth", passwords.redis];
  const primary = await startRedis(sandbox, { args, folder: "primary" });
  const replicaOf = ["--replicaof", "127.0.0.1", String(primary.port)];
  const replica = await startRedis(sandbox, { args: [...args, ...replicaOf], folder: "replica" });
  const ports: number[] = [];
  for (let i = 0; i < SENTINELS; i += 1) {
    const port = await sandbox.port();
    const file = join(await sandbox.subfolder(`sentinel-${i}`), "sentinel.conf");
    const lines = [
      `sentinel monitor ${NAME} 127.0.0.1 ${primary.port} 2`,
      `sentinel auth-pass ${NAME} ${passwords.redis}`,
      `sentinel down-after-milliseconds ${NAME} 1000`,
      `sentinel failover-timeout ${NAME} 5000`,
      `sentinel sentinel-pass ${passwords.sentinel}`,
      `requirepass ${passwords.sentinel}`,
    ];
    await writeFile(file, `${lines.join("\n")}\n`);
    const flags = [file, "--sentinel", "--port", String(port), "--bind", "127.0.0.1"];
    await sandbox.start({ name: `sentinel ${i}`, program: "redis-server", args: flags });
    ports.push(port);
  }
  const knows = async (port: number) => {
    const sentinel = new Redis({ host: "127.0.0.1", port, password: passwords.sentinel, maxRetriesPerRequest: 0 });
    sentinel.on("error", () => undefined); // it has not started yet
    try {
      const [one] = (await sentinel.call("SENTINEL", "MASTERS")) as string[][];
      const fields = new Map((one ?? []).flatMap((name, i, all) => (i % 2 === 0 ? [[name, all[i + 1]]] : [])));
      return fields.get("num-slaves") === "1" && fields.get("num-other-sentinels") === String(SENTINELS - 1);
    } finally {
      sentinel.disconnect();
    }
  };
  await until(
    "the Sentinels know each other and the replica",
    async () => (await Promise.all(ports.map(knows))).every(Boolean),
    { timeoutMs: 60_000, everyMs: 500 },
  );
  const hosts = ports.map((port) => `127.0.0.1:${port}`).join();
  return {
    url: `redis+sentinel://:${passwords.redis}@${hosts}/${NAME}/10?sentinelPassword=${passwords.sentinel}`,
    primary,
    replica,
  };
}
