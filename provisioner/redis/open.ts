// Loads the client of Redis where it is wanted, and there alone: it costs 12 MB and 20 ms, and a pod without bans needs none.
import type { Clock } from "../../common/clock.ts";
import type { Logger } from "../../common/logging.ts";
import type { RedisConnection } from "./connection.ts";

/** Connects in the background, as `connectRedis` says. */
export async function openRedis(url: string, log: Logger, clock: Clock): Promise<RedisConnection> {
  const { connectRedis } = await import("./connection.ts");
  return connectRedis(url, log, clock);
}
