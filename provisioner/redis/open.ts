// Loads the Redis client only when it is needed: it costs 12 MB and 20 ms, and a pod without bans does not need it. Touches the network.
import type { Clock } from "../../common/clock.ts";
import type { Logger } from "../../common/logging.ts";
import type { RedisConnection } from "./connection.ts";

/** Connects in the background; see `connectRedis`. */
export async function openRedis(url: string, log: Logger, clock: Clock): Promise<RedisConnection> {
  const { connectRedis } = await import("./connection.ts");
  return connectRedis(url, log, clock);
}
