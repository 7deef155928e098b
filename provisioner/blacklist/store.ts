// Bans, waiting times and restart counters: the only place that knows Redis keys. Touches Redis through what it is handed.
import { type Clock, withDeadline } from "../../common/clock.ts";
import { type Ban, type BanKind, known, type Seen, type StoredCounters } from "../model/observation.ts";
import type { RedisCommands } from "../redis/commands.ts";
import { redisMessage, troubleOf } from "../redis/trouble.ts";

export interface BanStore {
  bans(): Promise<Seen<readonly Ban[]>>;
  /** What is stored of each instance; an instance is missing from the map when the store did not answer. */
  counters(instanceIds: readonly number[]): Promise<Map<number, StoredCounters>>;
  ban(kind: BanKind, id: number, reason: string): Promise<void>;
  /** Keeps an earlier start of waiting. `since` in epoch ms. */
  startWaiting(instanceId: number, since: number): Promise<void>;
  /** The instance has become ready: how long it took is of no use to anybody any more. */
  stopWaiting(instanceId: number): Promise<void>;
  countRestarts(instanceId: number, times: number): Promise<void>;
}

export interface BanTimes {
  banTtlSeconds: number;
  restartTtlSeconds: number;
  banAfterSeconds: number;
}

// Keys that earlier deployments use as well, so that their data keeps working.
const BAN_PREFIX = { host: "ban_", machine: "ban_machine_" } as const;
const waitKey = (instanceId: number) => `wait_${instanceId}`;
const restartsKey = (instanceId: number) => `restarts_${instanceId}`;

// A store full of somebody else's keys must not hold a pass up: what is not read by then is unknown.
const READ_DEADLINE_MS = 3000;
// A waiting time is of use until the instance is ready or replaced; twice the limit outlives both.
const WAIT_KEEP_FACTOR = 2;
const SHORTEST_KEEP_SECONDS = 86_400;
// Anybody may write a ban by hand; its reason goes into messages.
const LONGEST_REASON = 100;
// The API is younger than 2017: a smaller number is no epoch second.
const EARLIEST_SECONDS = 1_483_228_800;

export function createBanStore(redis: RedisCommands, clock: Clock, times: BanTimes): BanStore {
  const waitTtl = Math.max(times.banAfterSeconds * WAIT_KEEP_FACTOR, SHORTEST_KEEP_SECONDS);
  return {
    async bans() {
      try {
        return known(await readBans(redis, clock));
      } catch (error) {
        return { known: false, why: { message: redisMessage(error), account: null } };
      }
    },
    async counters(instanceIds) {
      if (instanceIds.length === 0) return new Map();
      const keys = instanceIds.flatMap((id) => [waitKey(id), restartsKey(id)]);
      const values = await redis.mget(keys).catch(() => null); // away: the bans of the same pass say so
      if (values === null) return new Map();
      return new Map(instanceIds.map((id, i) => [id, readCounters(values[2 * i], values[2 * i + 1])]));
    },
    ban: (kind, id, reason) => redis.setWithTtl(`${BAN_PREFIX[kind]}${id}`, reason, times.banTtlSeconds),
    async startWaiting(id, since) {
      const [key, text] = [waitKey(id), String(Math.floor(since / 1000))];
      if (await redis.setIfAbsent(key, text, waitTtl)) return;
      // What stands there may be no time at all, and would be in the way for ever.
      const [stored] = await redis.mget([key]);
      if (readCounters(stored, null).waitingSince === null) await redis.setWithTtl(key, text, waitTtl);
    },
    stopWaiting: (id) => redis.remove(waitKey(id)),
    async countRestarts(id, amount) {
      try {
        await redis.add(restartsKey(id), amount, times.restartTtlSeconds);
      } catch (error) {
        if (troubleOf(error) !== "value") throw error;
        await redis.setWithTtl(restartsKey(id), String(amount), times.restartTtlSeconds); // no counter stood there
      }
    },
  };
}

/** For `BLACKLIST_ENABLED=false`: nothing is banned and nothing is counted. */
export const noBans: BanStore = {
  bans: async () => known([]),
  counters: async () => new Map(),
  ban: async () => undefined,
  startWaiting: async () => undefined,
  stopWaiting: async () => undefined,
  countRestarts: async () => undefined,
};

async function readBans(redis: RedisCommands, clock: Clock): Promise<Ban[]> {
  return withDeadline(clock, READ_DEADLINE_MS, undefined, (deadline) =>
    Promise.race([walkBans(redis, deadline), expiry(deadline)]),
  );
}

function expiry(deadline: AbortSignal): Promise<never> {
  const message = `the bans could not be read within ${READ_DEADLINE_MS} ms: give them a database of their own, the number at the end of BLACKLIST_REDIS_URL`;
  return new Promise((_, reject) =>
    deadline.addEventListener("abort", () => reject(new Error(message)), { once: true }),
  );
}

/** All bans, or a rejection: the bans of half a walk would pass for all of them. */
async function walkBans(redis: RedisCommands, deadline: AbortSignal): Promise<Ban[]> {
  const keys = new Set<string>();
  let cursor = "0";
  do {
    // SCAN, never KEYS: the database may be shared and large, and KEYS stops everybody else meanwhile.
    const [next, found] = await redis.scan(cursor, "ban_*");
    for (const key of found) keys.add(key);
    cursor = next;
    deadline.throwIfAborted(); // nobody waits for the rest
  } while (cursor !== "0");
  const bans = [...keys].flatMap((key) => banned(key) ?? []);
  if (bans.length === 0) return [];
  const reasons = await redis.mget(bans.map(({ key }) => key));
  return bans.flatMap(({ kind, id }, i) => {
    const reason = reasons[i];
    return reason === null || reason === undefined ? [] : [{ kind, id, reason: reason.slice(0, LONGEST_REASON) }];
  });
}

/** Whom a key bans; null for a key that only looks like a ban. */
function banned(key: string): { key: string; kind: BanKind; id: number } | null {
  const [, machine, id] = /^ban_(machine_)?(\d{1,15})$/.exec(key) ?? [];
  return id === undefined ? null : { key, kind: machine === undefined ? "host" : "machine", id: Number(id) };
}

/** Anything that is no time or no count, of whatever type, counts as not written. */
function readCounters(waiting: string | null | undefined, restarts: string | null | undefined): StoredCounters {
  const since = /^\d{1,12}(\.\d+)?$/.test(waiting ?? "") ? Number(waiting) : 0;
  return {
    waitingSince: since >= EARLIEST_SECONDS ? since * 1000 : null,
    restarts: /^\d{1,9}$/.test(restarts ?? "") ? Number(restarts) : 0,
  };
}
