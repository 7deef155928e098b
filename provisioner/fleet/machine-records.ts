// The records of machines and hosts that all pods of an account add up: one hash. Touches Redis.
import * as z from "zod";
import type { RedisScript } from "../redis/commands.ts";
import { REDIS_NOW } from "../redis/time.ts";
import type { Fleet } from "./shared-reading.ts";

/** Numbers in the order in which they stand in Redis. */
export type RecordNumbers = readonly [boots: number, readyMs: number, failures: number, ends: number, servedMs: number];

export interface MachineRecordStore {
  /** Those of these keys that are known; null: Redis does not answer, or the account is not known yet. */
  read(keys: readonly string[]): Promise<Map<string, RecordNumbers> | null>;
  /** False: it was not written. */
  add(records: readonly (readonly [key: string, numbers: RecordNumbers])[]): Promise<boolean>;
}

// A machine that nobody has rented for so long is a new one.
const TTL_MS = 30 * 86_400_000;
// Some 60 bytes each. When there are more, the quarter that changed longest ago is forgotten.
const MOST_RECORDS = 4000;

/**
 * KEYS: the hash. ARGV: ttl ms, most records, then by turns a key and its five numbers. A record is "<five numbers> <ms of its last
 * change>".
 */
export const ADD_RECORDS: RedisScript = {
  name: "add records",
  proves: "writing",
  lua: `
${REDIS_NOW}
for i = 3, #ARGV, 6 do
  local sums = {}
  for number in string.gmatch(redis.call('HGET', KEYS[1], ARGV[i]) or '', '%S+') do sums[#sums + 1] = tonumber(number) or 0 end
  for n = 1, 5 do sums[n] = string.format('%.0f', (sums[n] or 0) + tonumber(ARGV[i + n])) end
  sums[6] = string.format('%.0f', now)
  redis.call('HSET', KEYS[1], ARGV[i], table.concat(sums, ' ', 1, 6))
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
local most = tonumber(ARGV[2])
if redis.call('HLEN', KEYS[1]) <= most then return 0 end
local all = redis.call('HGETALL', KEYS[1])
local ages = {}
for i = 1, #all, 2 do
  if all[i] ~= 'all' then ages[#ages + 1] = {tonumber(string.match(all[i + 1], '(%d+)$') or '0'), all[i]} end
end
table.sort(ages, function(a, b) if a[1] == b[1] then return a[2] < b[2] end return a[1] < b[1] end)
local left = math.ceil(most / 4)
for i = 1, math.min(left, #ages) do redis.call('HDEL', KEYS[1], ages[i][2]) end
return 1`,
};

/** KEYS: the hash. ARGV: keys of records. Answers each, or false. */
export const READ_RECORDS: RedisScript = {
  name: "read records",
  proves: "reading",
  lua: "return redis.call('HMGET', KEYS[1], unpack(ARGV))",
};

const readAnswer = z.array(z.string().nullable());
const recordText = z
  .string()
  .regex(/^\d+( \d+){5}$/)
  .transform((text) => text.split(" ").map(Number));
const numbersSchema = z.tuple([z.number(), z.number(), z.number(), z.number(), z.number()]).rest(z.number());

export function createMachineRecordStore(fleet: Fleet | null): MachineRecordStore {
  const key = () => fleet?.keys()?.records ?? null;
  return {
    async read(keys) {
      const hash = key();
      if (fleet === null || hash === null || keys.length === 0) return null;
      try {
        const texts = readAnswer.parse(await fleet.redis.evaluate(READ_RECORDS, [hash], keys));
        return new Map(keys.flatMap((one, i) => entryOf(one, texts[i])));
      } catch {
        return null; // the connection reports its outage, and this pod's own records are used
      }
    },
    async add(records) {
      const hash = key();
      if (fleet === null || hash === null) return false;
      const args = records.flatMap(([one, numbers]) => [one, ...numbers.map((number) => Math.round(number))]);
      return fleet.redis.evaluate(ADD_RECORDS, [hash], [TTL_MS, MOST_RECORDS, ...args]).then(
        () => true,
        () => false, // as above; they are sent with the next ones
      );
    },
  };
}

/** What another version of the program has written is unknown. */
function entryOf(key: string, text: string | null | undefined): [string, RecordNumbers][] {
  const parsed = recordText.pipe(numbersSchema).safeParse(text);
  if (!parsed.success) return [];
  const [boots, readyMs, failures, ends, servedMs] = parsed.data;
  return [[key, [boots, readyMs, failures, ends, servedMs]]];
}
