// The connection to Redis; every wait has a deadline. Touches the network.
import { createHash } from "node:crypto";
import { Cluster } from "ioredis";
import * as z from "zod";
import { type Clock, stopwatch } from "../../common/clock.ts";
import { messageOf } from "../../common/errors.ts";
import type { Logger } from "../../common/logging.ts";
import type { RedisAddress } from "./address.ts";
import { createClient } from "./client.ts";
import { mgetAcrossSlots, scanPrimaries } from "./cluster.ts";
import type { LeaseCommands, RedisCommands, RedisScript, ScriptRunner } from "./commands.ts";
import { createOutages, type RedisHealth } from "./outages.ts";
import { CONNECTION_TROUBLES, troubleOf } from "./trouble.ts";

// Keys per SCAN: 100,000 keys of another user take 100 commands, and each blocks Redis for much less than 1 ms.
const SCAN_COUNT = 1000;
// A pass must not wait longer for bans than for the API.
const PASS_ANSWER_MS = 1000;
// A connection that is refused may be taken a moment later.
const REFUSED_WAIT_MS = 1000;

// `ARGV[1]` is the prefix of this provisioner's values.
const CLAIM: RedisScript = {
  name: "claim",
  proves: "writing",
  lua: `
local before = redis.call('GET', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if not before or string.sub(before, 1, #ARGV[1]) == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return {before, left}`,
};
const PEEK: RedisScript = {
  name: "peek",
  proves: "reading",
  lua: "return {redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])}",
};
const SET_WHILE_MINE: RedisScript = {
  name: "set while mine",
  proves: "writing",
  lua: `
local held = redis.call('GET', KEYS[1])
if not held or string.sub(held, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1`,
};
const REMOVE_MINE: RedisScript = {
  name: "remove mine",
  proves: "reading",
  lua: `
local held = redis.call('GET', KEYS[1])
if held and string.sub(held, 1, #ARGV[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0`,
};
const heldKey = z.tuple([z.string().nullable(), z.number()]).transform(([value, leftMs]) => ({ value, leftMs }));

export interface RedisConnection extends RedisCommands, LeaseCommands, ScriptRunner {
  health: RedisHealth;
  close(): void;
}

/**
 * Connects in the background. While Redis is unreachable a command rejects within a second or two, and the next ones immediately.
 * `answerMs`: how long it waits for an answer, and for a connection that is not refused.
 */
export function connectRedis(
  address: RedisAddress,
  log: Logger,
  clock: Clock,
  answerMs = PASS_ANSWER_MS,
): RedisConnection {
  const redis = createClient(address.target, answerMs);
  const outages = createOutages(log, clock.now, address);
  const isReady = () => redis.status === "ready";
  let connectionError: Error | null = null;
  let wrongDatabase: Error | null = null;
  let inDatabase = redis instanceof Cluster; // a Cluster has one database only
  const waiting = new Set<AbortController>();
  redis.on("error", (error: Error) => {
    if (troubleOf(error) === "database") wrongDatabase = error;
    else connectionError = error;
    outages.failed(error, isReady());
  });
  redis.on("connect", () => {
    wrongDatabase = null;
    inDatabase = redis instanceof Cluster;
  });
  redis.on("ready", () => {
    connectionError = null;
    outages.connected();
    for (const one of waiting) one.abort();
  });
  /** Waits a moment for the connection, since commands are not queued: at the start, and after a short interruption. */
  const requireConnection = async () => {
    if (isReady()) return;
    const ready = new AbortController();
    waiting.add(ready);
    const waitedMs = stopwatch(clock);
    do await clock.sleep(REFUSED_WAIT_MS, ready.signal);
    while (!isReady() && connectionError === null && waitedMs() < answerMs);
    waiting.delete(ready);
    if (!isReady()) throw connectionError ?? new Error("Command timed out");
  };
  /** Rejects when the database does not exist: the client would continue in database 0, which may belong to another program. */
  const requireDatabase = async () => {
    if (!inDatabase) await redis.ping(); // answered after the client's own SELECT
    if (wrongDatabase !== null) throw wrongDatabase;
    inDatabase = true;
  };
  const run = async <T>(proves: "reading" | "writing", command: () => Promise<T>): Promise<T> => {
    outages.throwIfUnreachable();
    try {
      await requireConnection();
      await requireDatabase();
      const result = await command();
      outages.succeeded(proves);
      return result;
    } catch (error) {
      // Without a connection a command only times out: the connection's own error names the cause.
      const cause = CONNECTION_TROUBLES.has(troubleOf(error)) ? (connectionError ?? error) : error;
      outages.failed(cause, isReady());
      throw cause;
    }
  };
  const evaluate: ScriptRunner["evaluate"] = ({ lua, proves }, keys, args) =>
    run(proves, async () => {
      const sha = createHash("sha1").update(lua).digest("hex");
      try {
        return await redis.evalsha(sha, keys.length, ...keys, ...args);
      } catch (error) {
        if (!messageOf(error).startsWith("NOSCRIPT")) throw error;
        return redis.eval(lua, keys.length, ...keys, ...args);
      }
    });
  return {
    health: outages,
    evaluate,
    scan: (cursor, pattern) =>
      run("reading", () =>
        redis instanceof Cluster
          ? scanPrimaries(redis, cursor, pattern, SCAN_COUNT)
          : redis.scan(cursor, "MATCH", pattern, "COUNT", SCAN_COUNT),
      ),
    mget: (keys) =>
      run("reading", () => (redis instanceof Cluster ? mgetAcrossSlots(redis, keys) : redis.mget(...keys))),
    setWithTtl: (key, value, ttlSeconds) =>
      run("writing", async () => void (await redis.set(key, value, "EX", ttlSeconds))),
    setIfAbsent: (key, value, ttlSeconds) =>
      run("writing", async () => (await redis.set(key, value, "EX", ttlSeconds, "NX")) !== null),
    // A server that is out of memory still deletes keys: a deletion proves nothing about writing.
    remove: (key) => run("reading", async () => void (await redis.del(key))),
    add: (key, amount, ttlSeconds) =>
      run("writing", async () => {
        const results = await redis.multi().incrby(key, amount).expire(key, ttlSeconds).exec();
        for (const [error] of results ?? []) if (error) throw error;
      }),
    claim: async (key, mine, value, ttlMs) => heldKey.parse(await evaluate(CLAIM, [key], [mine, value, ttlMs])),
    peek: async (key) => heldKey.parse(await evaluate(PEEK, [key], [])),
    setWhileMine: async (guard, mine, key, value, ttlSeconds, guardTtlMs) =>
      (await evaluate(SET_WHILE_MINE, [guard, key], [mine, value, ttlSeconds, guardTtlMs])) === 1,
    removeMine: async (key, mine) => void (await evaluate(REMOVE_MINE, [key], [mine])),
    close: () => redis.disconnect(),
  };
}
