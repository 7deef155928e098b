// Redis servers of which one follows when another one is gone: what tests ask of a Cluster and of a Redis behind Sentinels. They write
// nothing to disk but their node file, so that a server that starts again has no data.
import { Redis } from "ioredis";
import { type RedisOptions, type RunningRedis, startRedis } from "./redis.ts";
import type { Sandbox } from "./sandbox.ts";
import { until } from "./until.ts";

export interface RedisNode extends RunningRedis {
  /** Its process, the newest one. */
  readonly server: RunningRedis["server"];
  /** Sends commands on a connection of their own. Rejects when the node does not answer within two seconds. */
  ask<T>(commands: (connection: Redis) => Promise<T>): Promise<T>;
  /** Starts it again, without data, after its process has ended. */
  startAgain(): Promise<void>;
}

/** A Redis that survives the loss of a node. */
export interface ReplicatedRedis {
  /** Names all nodes or Sentinels, with all passwords. */
  readonly url: string;
  readonly nodes: readonly RedisNode[];
  /**
   * The node that takes the writes of this key now; for a moment after it was paused, a former one may be named. Rejects without one.
   */
  primaryOf(key: string): Promise<RedisNode>;
}

// A busy machine needs longer than a healthy server, and a test that waits for a paused one must go on.
const ANSWER_MS = 2000;

/** `database` is that of `ask`. */
export async function startNode(
  sandbox: Sandbox,
  options: Omit<RedisOptions, "port"> & { password: string; database: number },
): Promise<RedisNode> {
  const { password, database } = options;
  const args = ["--requirepass", password, "--masterauth", password, ...(options.args ?? [])];
  let running = await startRedis(sandbox, { ...options, args });
  const { port, url } = running;
  return {
    port,
    url,
    get server() {
      return running.server;
    },
    async ask(commands) {
      const waits = { connectTimeout: ANSWER_MS, commandTimeout: ANSWER_MS, retryStrategy: () => null };
      const connection = new Redis({ host: "127.0.0.1", port, password, db: database, ...waits });
      connection.on("error", () => undefined); // the command rejects with it
      try {
        return await commands(connection);
      } finally {
        connection.disconnect();
      }
    },
    async startAgain() {
      running = await startRedis(sandbox, { ...options, args, port });
    },
  };
}

/** The value of a key where its writes go. */
export async function valueIn(redis: ReplicatedRedis, key: string): Promise<string | null> {
  const primary = await redis.primaryOf(key);
  return primary.ask((connection) => connection.get(key));
}

/** Waits until a replica has all that this primary has: it can follow now. */
export async function untilFollowed(primary: RedisNode): Promise<void> {
  const isFollowed = async () => /slave0:.*state=online/.test(await primary.ask((one) => one.info("replication")));
  await until(`a replica follows ${primary.port}`, isFollowed, { timeoutMs: 30_000 });
}
