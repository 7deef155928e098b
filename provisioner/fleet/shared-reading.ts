// A reading of the API that all pods of an account share: one pod reads and publishes it, the others use it. Touches Redis.
import * as z from "zod";
import { type Clock, stopwatch } from "../../common/clock.ts";
import { parseJson } from "../../common/parse-json.ts";
import type { RedisScript, ScriptRunner } from "../redis/commands.ts";
import { REDIS_NOW } from "../redis/time.ts";
import type { FleetKeys } from "./keys.ts";

export interface SharedReadingParts {
  clock: Clock;
  /** Null: this pod shares nothing with others. */
  fleet: Fleet | null;
}

/** What the pods of one account share. */
export interface Fleet {
  redis: ScriptRunner;
  /** Null while the account is unknown. */
  keys(): FleetKeys | null;
  /** Names this process among those that read. */
  token: string;
}

export interface ReadingRequest<T> {
  /** The Redis key; null: its name is not known yet. */
  key: string | null;
  schema: z.ZodType<T>;
  /** A value that was asked for at most so long ago is not read again. */
  freshMs: number;
  /** While another pod reads it again, a value that was asked for at most so long ago still counts. */
  usableMs: number;
  /** When Redis forgets it, from its reading on; 10 min where nothing is said. */
  ttlMs?: number;
  /** How long to wait for another pod's reading where there is no usable one; 4 s where nothing is said. */
  waitMs?: number;
  /** How long until the second look meanwhile; half a second where nothing is said. Each of the next ones comes later. */
  pollMs?: number;
  /** Only a value that was asked for after this time of Redis' clock counts. */
  after?: number;
  /** Reads it from its source; `sent` tells that the call has waited for its rate limit and is sent now. */
  read(sent: () => void): Promise<T>;
}

export interface Reading<T> {
  value: T;
  /** When it was asked for, epoch ms by this pod's clock: never later than it really was. */
  readAt: number;
  /** The same by Redis' clock; null where Redis does not know this reading. */
  sharedAt: number | null;
  /** This pod has read it itself, just now. */
  own: boolean;
}

// The time of one call with its wait for the rate limit. When its reader dies, the others wait no longer than WAIT_MS.
const LOCK_MS = 10_000;
// How long a pod without a usable value waits for another one's reading before it reads for itself.
const WAIT_MS = 4000;
const POLL_MS = 500;
const POLL_GROWTH = 1.5;
// A value that nobody uses any more disappears after this time.
const TTL_MS = 600_000;

/**
 * KEYS: the value (hash: readAt, value), its lock. ARGV: token, fresh ms, lock ms, after. Answers the value, when it was asked for, Redis'
 * time, and whether this caller is the one to read it again.
 */
export const READ_SHARED: RedisScript = {
  name: "read shared",
  proves: "reading", // it writes only where the value is not fresh
  lua: `
${REDIS_NOW}
local held = redis.call('HMGET', KEYS[1], 'readAt', 'value')
local readAt = tonumber(held[1] or '')
local fresh = readAt and readAt <= now and now - readAt <= tonumber(ARGV[2]) and readAt > tonumber(ARGV[4])
local mine = 0
if not fresh and redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[3]) then mine = 1 end
return {held[2], readAt or false, now, mine}`,
};

/**
 * KEYS: the value, its lock. ARGV: token, value, ms since it was asked for, ttl ms. Only the holder of the lock writes. Answers when it was
 * asked for.
 */
export const WRITE_SHARED: RedisScript = {
  name: "write shared",
  proves: "writing",
  lua: `
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return false end
${REDIS_NOW}
local readAt = now - math.ceil(tonumber(ARGV[3]))
redis.call('HSET', KEYS[1], 'readAt', readAt, 'value', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('DEL', KEYS[2])
return readAt`,
};

/** KEYS: the lock. ARGV: token. The reading failed: another pod may try. */
export const LEAVE_SHARED: RedisScript = {
  name: "leave shared",
  proves: "reading",
  lua: `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0`,
};

const readAnswer = z.tuple([
  z.string().nullable(),
  z.number().nullable(),
  z.number(),
  z.union([z.literal(0), z.literal(1)]),
]);
const writeAnswer = z.number().nullable();

/**
 * The shared reading where it is fresh enough; else one pod reads it and publishes it. Rejects as `read` does: errors are not published.
 * While Redis does not answer, each pod reads for itself.
 */
export async function readShared<T>(
  { clock, fleet }: SharedReadingParts,
  request: ReadingRequest<T>,
  signal?: AbortSignal,
): Promise<Reading<T>> {
  if (fleet === null || request.key === null) return readAlone(clock, request);
  const store: Store = { redis: fleet.redis, token: fleet.token, clock, key: request.key };
  const waitedMs = stopwatch(clock);
  for (let pollMs = request.pollMs ?? POLL_MS; ; pollMs *= POLL_GROWTH) {
    const asked = await ask(store, request);
    if (asked.kind === "mine") return readForAll(store, request);
    if (asked.kind === "held" && asked.ageMs <= Math.max(request.usableMs, request.freshMs)) return asked.reading;
    const leftMs = (request.waitMs ?? WAIT_MS) - waitedMs();
    if (asked.kind === "unusable" || signal?.aborted || leftMs <= 0) return readAlone(clock, request);
    await clock.sleep(Math.min(pollMs, leftMs), signal);
  }
}

/** Reads it where it is not fresh and no other pod does. Rejects as `read` does. */
export async function refreshShared<T>(
  { clock, fleet }: SharedReadingParts,
  request: ReadingRequest<T>,
): Promise<void> {
  if (fleet === null || request.key === null) return;
  const store: Store = { redis: fleet.redis, token: fleet.token, clock, key: request.key };
  if ((await ask(store, request)).kind === "mine") await readForAll(store, request);
}

interface Store {
  redis: ScriptRunner;
  token: string;
  clock: Clock;
  key: string;
}

/**
 * - `mine`: this pod is the one that reads it again
 * - `awaited`: another one does, and there is none before
 * - `unusable`: Redis does not answer, which its connection reports, or the value is of another version of the program
 */
type Asked<T> = { kind: "mine" | "awaited" | "unusable" } | { kind: "held"; reading: Reading<T>; ageMs: number };

async function ask<T>(
  { redis, clock, token, key }: Store,
  { schema, freshMs, after = 0 }: ReadingRequest<T>,
): Promise<Asked<T>> {
  const answer = await redis
    .evaluate(READ_SHARED, [key, lockOf(key)], [token, freshMs, LOCK_MS, after])
    .then((raw) => readAnswer.parse(raw))
    .catch(() => null);
  if (answer === null) return { kind: "unusable" };
  const [text, sharedAt, now, mine] = answer;
  if (mine === 1) return { kind: "mine" };
  if (text === null || sharedAt === null || sharedAt > now || sharedAt <= after) return { kind: "awaited" };
  const parsed = parseJson(text, schema);
  if (!("value" in parsed)) return { kind: "unusable" };
  const ageMs = now - sharedAt;
  return { kind: "held", ageMs, reading: { value: parsed.value, readAt: clock.now() - ageMs, sharedAt, own: false } };
}

async function readAlone<T>(clock: Clock, request: ReadingRequest<T>): Promise<Reading<T>> {
  return (await readTimed(clock, request)).reading;
}

/** With the time since it was asked for, as it has really passed. */
async function readTimed<T>(
  clock: Clock,
  { read }: ReadingRequest<T>,
): Promise<{ reading: Reading<T>; elapsedMs(): number }> {
  let readAt = clock.now();
  let elapsedMs = stopwatch(clock);
  const value = await read(() => {
    readAt = clock.now();
    elapsedMs = stopwatch(clock);
  });
  return { reading: { value, readAt, sharedAt: null, own: true }, elapsedMs };
}

async function readForAll<T>({ redis, clock, token, key }: Store, request: ReadingRequest<T>): Promise<Reading<T>> {
  try {
    const { reading, elapsedMs } = await readTimed(clock, request);
    const args = [token, JSON.stringify(reading.value), Math.ceil(elapsedMs()), request.ttlMs ?? TTL_MS];
    const sharedAt = await redis
      .evaluate(WRITE_SHARED, [key, lockOf(key)], args)
      .then((raw) => writeAnswer.parse(raw))
      .catch(() => null); // the reading is good all the same, and the connection reports its outage
    return { ...reading, sharedAt };
  } catch (error) {
    await redis.evaluate(LEAVE_SHARED, [lockOf(key)], [token]).catch(() => undefined); // then the lock expires
    throw error;
  }
}

const lockOf = (key: string) => `${key}:lock`;
