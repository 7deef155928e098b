// The connection to Redis, bounded in every wait. Touches the network.
import { Redis } from "ioredis";
import * as z from "zod";
import type { Clock } from "../../common/clock.ts";
import type { Logger } from "../../common/logging.ts";
import type { LeaseCommands, RedisCommands } from "./commands.ts";
import { createOutages, type RedisHealth } from "./outages.ts";
import { AWAY, troubleOf } from "./trouble.ts";

// ioredis' defaults need 74 s to give up one command; a pass must not wait for bans longer than it waits for the API.
const COMMAND_TIMEOUT_MS = 1000;
const CONNECT_TIMEOUT_MS = 1000;
const SLOWEST_RETRY_MS = 5000;
// Keys that one SCAN looks at: 100,000 keys of somebody else are 100 questions, and each holds Redis up for well under 1 ms.
const SCAN_COUNT = 1000;

// What must be one step for everybody who shares the server. `ARGV[1]` is what a value of ours begins with.
const CLAIM = `
local before = redis.call('GET', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if not before or string.sub(before, 1, #ARGV[1]) == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return {before, left}`;
const SET_WHILE_MINE = `
local held = redis.call('GET', KEYS[1])
if not held or string.sub(held, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
return 1`;
const REMOVE_MINE = `
local held = redis.call('GET', KEYS[1])
if held and string.sub(held, 1, #ARGV[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0`;
const claimAnswer = z.tuple([z.string().nullable(), z.number()]);

export interface RedisConnection extends RedisCommands, LeaseCommands {
  health: RedisHealth;
  close(): void;
}

/** Connects in the background; while Redis is away a command rejects within a second, and the next ones at once. */
export function connectRedis(url: string, log: Logger, clock: Clock): RedisConnection {
  const redis = new Redis(url, {
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    maxRetriesPerRequest: 1,
    retryStrategy: (times) => Math.min(times * 200, SLOWEST_RETRY_MS),
  });
  const outages = createOutages(log, clock.now);
  const isReady = () => redis.status === "ready";
  let connectionError: Error | null = null;
  let wrongDatabase: Error | null = null;
  let inDatabase = false;
  redis.on("error", (error: Error) => {
    if (troubleOf(error) === "database") wrongDatabase = error;
    else connectionError = error;
    outages.failed(error, isReady());
  });
  redis.on("connect", () => {
    wrongDatabase = null;
    inDatabase = false;
  });
  redis.on("ready", () => {
    connectionError = null;
    outages.connected();
  });
  /** Without it the client goes on in database 0, which may be anybody's. */
  const enterDatabase = async () => {
    if (!inDatabase) await redis.ping(); // answered after the client's own SELECT
    if (wrongDatabase !== null) throw wrongDatabase;
    inDatabase = true;
  };
  const ask = async <T>(proves: "reading" | "writing", command: () => Promise<T>): Promise<T> => {
    outages.enter();
    try {
      await enterDatabase();
      const answer = await command();
      outages.worked(proves);
      return answer;
    } catch (error) {
      // Without a connection a command only waits in vain: what keeps the connection from being made says more.
      const cause = AWAY.has(troubleOf(error)) ? (connectionError ?? error) : error;
      outages.failed(cause, isReady());
      throw cause;
    }
  };
  return {
    health: outages,
    scan: (cursor, pattern) => ask("reading", () => redis.scan(cursor, "MATCH", pattern, "COUNT", SCAN_COUNT)),
    mget: (keys) => ask("reading", () => redis.mget(...keys)),
    setWithTtl: (key, value, ttlSeconds) =>
      ask("writing", async () => void (await redis.set(key, value, "EX", ttlSeconds))),
    setIfAbsent: (key, value, ttlSeconds) =>
      ask("writing", async () => (await redis.set(key, value, "EX", ttlSeconds, "NX")) !== null),
    // A full server deletes all the same: that proves nothing about writing.
    remove: (key) => ask("reading", async () => void (await redis.del(key))),
    add: (key, amount, ttlSeconds) =>
      ask("writing", async () => {
        const answers = await redis.multi().incrby(key, amount).expire(key, ttlSeconds).exec();
        for (const [error] of answers ?? []) if (error) throw error;
      }),
    get: (key) => ask("reading", () => redis.get(key)),
    claim: (key, mine, value, ttlMs) =>
      ask("writing", async () => {
        const [before, leftMs] = claimAnswer.parse(await redis.eval(CLAIM, 1, key, mine, value, ttlMs));
        return { before, leftMs };
      }),
    setWhileMine: (guard, mine, key, value, ttlSeconds) =>
      ask("writing", async () => (await redis.eval(SET_WHILE_MINE, 2, guard, key, mine, value, ttlSeconds)) === 1),
    removeMine: (key, mine) => ask("reading", async () => void (await redis.eval(REMOVE_MINE, 1, key, mine))),
    close: () => redis.disconnect(),
  };
}
