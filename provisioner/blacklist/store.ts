// Stores bans, waiting times and restart counters, and knows the Redis keys of the latter two. Touches Redis through the commands
// that it is given.
import * as z from "zod";
import { type Clock, withDeadline } from "../../common/clock.ts";
import { shortHash } from "../fleet/keys.ts";
import { type Fleet, type Reading, readShared } from "../fleet/shared-reading.ts";
import { sameBan } from "../model/bans.ts";
import { type Ban, type BanKind, known, type Seen, type StoredCounters } from "../model/observation.ts";
import type { RedisCommands } from "../redis/commands.ts";
import { redisMessage, troubleOf } from "../redis/trouble.ts";
import { banIn, banKey, findBanKeys } from "./ban-keys.ts";

export interface BanStore {
  bans(): Promise<Seen<readonly Ban[]>>;
  /** The counters of each instance. An instance is missing from the map when the store did not answer. */
  counters(instanceIds: readonly number[]): Promise<Map<number, StoredCounters>>;
  ban(kind: BanKind, id: number, reason: string): Promise<void>;
  /** Records when waiting started (epoch ms), unless an earlier start is stored. */
  startWaiting(instanceId: number, since: number): Promise<void>;
  /** Replaces a stored start of waiting by a later one (epoch ms). */
  postponeWaiting(instanceId: number, since: number): Promise<void>;
  /** Removes the start of waiting: the instance is ready. */
  stopWaiting(instanceId: number): Promise<void>;
  countRestarts(instanceId: number, times: number): Promise<void>;
}

export interface BanTimes {
  banTtlSeconds: number;
  restartTtlSeconds: number;
  banAfterSeconds: number;
}

// Earlier deployments use the same keys, so their data continues to count.
const waitKey = (instanceId: number) => `wait_${instanceId}`;
const restartsKey = (instanceId: number) => `restarts_${instanceId}`;

// A database full of other programs' keys must not delay a pass: after this time the bans are unknown.
const BANS_DEADLINE_MS = 3000;
// A waiting time is needed until the instance is ready or replaced; twice the limit is longer than both.
const WAIT_TTL_FACTOR = 2;
const MIN_WAIT_TTL_SECONDS = 86_400;
// The API did not exist before 2017: a smaller number is not a time in epoch seconds.
const EARLIEST_SECONDS = 1_483_228_800;

// A ban that somebody deletes has no effect after 30 s at most. One pod reads the bans again a little earlier for all others.
const SHARED_BANS = { freshMs: 25_000, usableMs: 30_000 } as const;
const sharedBans = z.array(
  z.object({ kind: z.enum(["host", "machine"]), id: z.int().min(0), reason: z.string() }),
) satisfies z.ZodType<Ban[]>;

/** With whom the bans are read: `database` names their server and database, because only pods with the same bans share them. */
export interface BanSharing {
  fleet: Fleet | null;
  database: string;
}

export function createBanStore(
  redis: RedisCommands,
  clock: Clock,
  times: BanTimes,
  { fleet, database }: BanSharing = { fleet: null, database: "" },
): BanStore {
  // This pod's bans that are younger than the shared reading, and when Redis took them.
  let written: (Ban & { at: number })[] = [];
  let shared: Reading<Ban[]> | null = null;
  const databaseHash = shortHash(database);
  // Redis would answer the same.
  const isFresh = ({ readAt }: Reading<Ban[]>) => readAt <= clock.now() && clock.now() - readAt <= SHARED_BANS.freshMs;
  const waitTtl = Math.max(times.banAfterSeconds * WAIT_TTL_FACTOR, MIN_WAIT_TTL_SECONDS);
  return {
    async bans() {
      try {
        const reading =
          shared !== null && isFresh(shared)
            ? shared
            : await readShared(
                { clock, fleet },
                {
                  ...SHARED_BANS,
                  key: fleet?.keys()?.bans(databaseHash) ?? null,
                  schema: sharedBans,
                  read: () => readBans(redis, clock),
                },
              );
        // A reading of this pod alone is repeated: then each of its passes sees the bans as they are.
        shared = reading.sharedAt === null ? null : reading;
        const { value, readAt } = reading;
        written = written.filter(({ at }) => at > readAt && at <= clock.now());
        const added = written.filter((ban) => !value.some((other) => sameBan(ban, other)));
        return known([...value, ...added.map(({ kind, id, reason }) => ({ kind, id, reason }))]);
      } catch (error) {
        return { known: false, why: { message: redisMessage(error), account: null } };
      }
    },
    async counters(instanceIds) {
      if (instanceIds.length === 0) return new Map();
      const keys = instanceIds.flatMap((id) => [waitKey(id), restartsKey(id)]);
      const values = await redis.mget(keys).catch(() => null); // unreachable: the bans of the same pass report it
      if (values === null) return new Map();
      return new Map(instanceIds.map((id, i) => [id, readCounters(values[2 * i], values[2 * i + 1])]));
    },
    async ban(kind, id, reason) {
      await redis.setWithTtl(banKey({ kind, id }), reason, times.banTtlSeconds);
      written.push({ kind, id, reason, at: clock.now() });
    },
    async startWaiting(id, since) {
      const [key, text] = [waitKey(id), String(Math.floor(since / 1000))];
      if (await redis.setIfAbsent(key, text, waitTtl)) return;
      // The stored value may not be a time; then it must be replaced, or it would stay forever.
      const [stored] = await redis.mget([key]);
      if (readCounters(stored, null).waitingSince === null) await redis.setWithTtl(key, text, waitTtl);
    },
    postponeWaiting: (id, since) => redis.setWithTtl(waitKey(id), String(Math.floor(since / 1000)), waitTtl),
    stopWaiting: (id) => redis.remove(waitKey(id)),
    async countRestarts(id, amount) {
      try {
        await redis.add(restartsKey(id), amount, times.restartTtlSeconds);
      } catch (error) {
        if (troubleOf(error) !== "value") throw error;
        await redis.setWithTtl(restartsKey(id), String(amount), times.restartTtlSeconds); // the stored value was not a counter
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
  postponeWaiting: async () => undefined,
  stopWaiting: async () => undefined,
  countRestarts: async () => undefined,
};

async function readBans(redis: RedisCommands, clock: Clock): Promise<Ban[]> {
  return withDeadline(clock, BANS_DEADLINE_MS, undefined, (deadline) =>
    Promise.race([walkBans(redis, deadline), expiry(deadline)]),
  );
}

function expiry(deadline: AbortSignal): Promise<never> {
  const message = `the bans could not be read within ${BANS_DEADLINE_MS} ms: use a separate database for them (the number at the end of BLACKLIST_REDIS_URL)`;
  return new Promise((_, reject) =>
    deadline.addEventListener("abort", () => reject(new Error(message)), { once: true }),
  );
}

/** All bans. Rejects when it cannot read all of them. */
async function walkBans(redis: RedisCommands, deadline: AbortSignal): Promise<Ban[]> {
  const keys = await findBanKeys(redis, deadline);
  if (keys.length === 0) return [];
  const reasons = await redis.mget(keys.map(({ key }) => key));
  return keys.flatMap((key, i) => banIn(key, reasons[i]) ?? []);
}

/** A value that is not a time or not a count is treated as missing. */
function readCounters(waiting: string | null | undefined, restarts: string | null | undefined): StoredCounters {
  const since = /^\d{1,12}(\.\d+)?$/.test(waiting ?? "") ? Number(waiting) : 0;
  return {
    waitingSince: since >= EARLIEST_SECONDS ? since * 1000 : null,
    restarts: /^\d{1,9}$/.test(restarts ?? "") ? Number(restarts) : 0,
  };
}
