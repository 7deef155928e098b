// The connection to Redis, bounded in every wait. Touches the network.
import { Redis } from "ioredis";
import type { Logger } from "../../common/logging.ts";
import type { RedisCommands } from "../blacklist/store.ts";

// ioredis' defaults need 74 s to give up one command; a pass must not wait for bans longer than it waits for the API.
const COMMAND_TIMEOUT_MS = 1000;
const CONNECT_TIMEOUT_MS = 1000;
const SLOWEST_RETRY_MS = 5000;

export interface RedisConnection extends RedisCommands {
  close(): void;
}

/** Connects in the background; while Redis is away every command rejects within about a second. */
export function connectRedis(url: string, log: Logger): RedisConnection {
  const redis = new Redis(url, {
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    maxRetriesPerRequest: 1,
    retryStrategy: (times) => Math.min(times * 200, SLOWEST_RETRY_MS),
  });
  let away = false;
  redis.on("error", (error: Error) => {
    if (away) return log.debug({ err: error }, "Redis is still away");
    away = true;
    log.warn({ event: "redis", err: error }, "Redis is away: bans are unknown until it is back");
  });
  redis.on("ready", () => {
    if (away) log.info({ event: "redis" }, "Redis is back");
    away = false;
  });
  return {
    scan: (cursor, pattern) => redis.scan(cursor, "MATCH", pattern, "COUNT", 500),
    mget: (keys) => redis.mget(...keys),
    setWithTtl: async (key, value, ttlSeconds) => void (await redis.set(key, value, "EX", ttlSeconds)),
    setIfAbsent: async (key, value, ttlSeconds) => void (await redis.set(key, value, "EX", ttlSeconds, "NX")),
    remove: async (key) => void (await redis.del(key)),
    add: async (key, amount, ttlSeconds) => {
      const answers = await redis.multi().incrby(key, amount).expire(key, ttlSeconds).exec();
      for (const [error] of answers ?? []) if (error) throw error;
    },
    close: () => redis.disconnect(),
  };
}
