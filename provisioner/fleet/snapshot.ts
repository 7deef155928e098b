// The instance list that the pods of one account share in Redis: one of them, the leader, reads it for all. Each script is atomic, and all
// times are those of Redis' clock, so the pods' clocks need not agree. Touches Redis through the scripts that it is given.
import * as z from "zod";
import { parseJson } from "../../common/parse-json.ts";
import type { Why } from "../model/observation.ts";
import type { RedisScript, ScriptRunner } from "../redis/commands.ts";
import { REDIS_NOW } from "../redis/time.ts";
import { type Entry, formatEntry, parseEntry, why } from "./entry.ts";
import type { FleetKeys } from "./keys.ts";

/** How long a leader that does nothing any more stays the leader. A late write of it has no effect, whenever it comes. */
export const LEAD_MS = 10_000;
// Keys that nobody uses any more disappear; a pod that is gone is forgotten, with its label.
const KEYS_TTL_MS = 3_600_000;
const POD_GONE_MS = 600_000;
const TROUBLE_TTL_MS = 60_000;
// A label whose pod waits for its reading comes before all that are only due.
const WAITED_FOR_MS = 3_600_000;

// KEYS: rows, want, pods, lead, trouble. ARGV: label, wanted period ms, Redis' time after which the reading must have been asked for (0:
// any does; -1: now), and some of the times above. Answers {entry, now, ms until the leader's time is over, trouble, number of pods}.
const LOOK: RedisScript = {
  name: "fleet look",
  proves: "writing",
  lua: `
${REDIS_NOW}
local entry = redis.call('HGET', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[3], now, ARGV[1])
local after = tonumber(ARGV[3])
if after < 0 then after = now end
local askedAt = entry and tonumber(string.match(entry, '^{"askedAt":(%d+)')) or 0
local due = askedAt == 0 and now or askedAt + tonumber(ARGV[2])
if after > 0 and askedAt <= after then due = now - tonumber(ARGV[4]) end
local known = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not known or tonumber(known) > due then redis.call('ZADD', KEYS[2], due, ARGV[1]) end
redis.call('PEXPIRE', KEYS[2], ARGV[5])
redis.call('PEXPIRE', KEYS[3], ARGV[5])
return {entry, now, redis.call('PTTL', KEYS[4]), redis.call('GET', KEYS[5]), redis.call('ZCARD', KEYS[3])}`,
};

// KEYS: lead, want, pods, rows, trouble. ARGV: token, ttl ms, most labels, '1' for the labels of all pods, a pod's life ms. Answers
// {1, now, number of due labels, the labels that are due next with their times, all labels, 1 if a reading has failed}, or
// {0, now, 0, {}, {}, 0}.
const LEAD: RedisScript = {
  name: "fleet lead",
  proves: "writing",
  lua: `
${REDIS_NOW}
local held = redis.call('GET', KEYS[1])
if held == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
elseif not held then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
else
  return {0, now, 0, {}, {}, 0}
end
local gone = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now - tonumber(ARGV[5]), 'LIMIT', 0, 100)
for _, label in ipairs(gone) do
  redis.call('ZREM', KEYS[3], label)
  redis.call('ZREM', KEYS[2], label)
  redis.call('HDEL', KEYS[4], label)
end
local due = redis.call('ZCOUNT', KEYS[2], '-inf', now)
local next = redis.call('ZRANGE', KEYS[2], 0, tonumber(ARGV[3]) - 1, 'WITHSCORES')
local all = {}
if ARGV[4] == '1' then all = redis.call('ZRANGE', KEYS[3], 0, -1) end
return {1, now, due, next, all, redis.call('EXISTS', KEYS[5])}`,
};

// KEYS: lead, rows, want, trouble. ARGV: token, rows' ttl ms, trouble or '', its ttl ms, then label, entry, label, entry, ...
// Answers whether the token leads: what a former leader publishes has no effect.
const PUBLISH: RedisScript = {
  name: "fleet publish",
  proves: "writing",
  lua: `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[3] == '' then redis.call('DEL', KEYS[4]) else redis.call('SET', KEYS[4], ARGV[3], 'PX', ARGV[4]) end
for i = 5, #ARGV, 2 do
  redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
  redis.call('ZREM', KEYS[3], ARGV[i])
end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1`,
};

// KEYS: lead. ARGV: token.
const RESIGN: RedisScript = {
  name: "fleet resign",
  proves: "reading",
  lua: `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0`,
};

/** Why the leader's last reading failed, and when it was asked for. */
export interface Trouble {
  at: number;
  why: Why;
}

export interface Look {
  /** Null: there is none, or it is broken. */
  entry: Entry | null;
  /** Redis' clock, epoch ms. */
  now: number;
  hasLeader: boolean;
  trouble: Trouble | null;
  /** How many pods the account has. */
  pods: number;
}

/** What the leader is asked to read. `next` are the labels that are due next, the most urgent first. */
export interface Lead {
  now: number;
  dueCount: number;
  next: readonly { label: string; dueAt: number }[];
  /** The labels of all pods, if they were asked for. */
  all: readonly string[];
  /** The latest reading has failed. */
  hasTrouble: boolean;
}

export interface Snapshot {
  /**
   * This label's entry. Reports the pod as alive and wants the next reading `periodMs` after the last one; at once where `after` (Redis'
   * clock, or `now`) is later than it.
   */
  look(label: string, periodMs: number, after: number | "now"): Promise<Look>;
  /** Takes a free lead, or renews this token's. Null: another pod leads. */
  lead(token: string, mostLabels: number, withAll: boolean): Promise<Lead | null>;
  /** Returns false, without an effect, when the token does not lead any more. */
  publish(token: string, entries: ReadonlyMap<string, Entry>, trouble: Trouble | null): Promise<boolean>;
  /** Gives up the lead, so that another pod takes it at once. */
  resign(token: string): Promise<void>;
}

const lookAnswer = z.tuple([z.string().nullable(), z.number(), z.number(), z.string().nullable(), z.number()]);
const strings = z.array(z.string());
const leadAnswer = z.tuple([z.number(), z.number(), z.number(), strings, strings, z.number()]);
const trouble: z.ZodType<Trouble> = z.object({ at: z.number(), why });
// 200 entries are about 200 kB: a script with many more would hold up Redis for all others.
const MOST_ENTRIES = 200;

export function createSnapshot(redis: ScriptRunner, keys: FleetKeys): Snapshot {
  let parsed: { text: string; label: string; entry: Entry | null } | null = null;
  // Most looks find the entry of the one before.
  const entryOf = (text: string, label: string) => {
    if (parsed?.text !== text || parsed.label !== label) parsed = { text, label, entry: parseEntry(text, label) };
    return parsed.entry;
  };
  return {
    async look(label, periodMs, after) {
      const names = [keys.rows, keys.want, keys.pods, keys.lead, keys.trouble];
      const args = [label, periodMs, after === "now" ? -1 : after, WAITED_FOR_MS, KEYS_TTL_MS];
      const [text, now, leadMs, failed, pods] = lookAnswer.parse(await redis.evaluate(LOOK, names, args));
      const entry = text === null ? null : entryOf(text, label);
      return { entry, now, hasLeader: leadMs > 0, trouble: readTrouble(failed), pods };
    },

    async lead(token, mostLabels, withAll) {
      const names = [keys.lead, keys.want, keys.pods, keys.rows, keys.trouble];
      const args = [token, LEAD_MS, mostLabels, withAll ? 1 : 0, POD_GONE_MS];
      const [leads, now, dueCount, next, all, failed] = leadAnswer.parse(await redis.evaluate(LEAD, names, args));
      return leads === 1 ? { now, dueCount, next: pairs(next), all, hasTrouble: failed === 1 } : null;
    },

    async publish(token, entries, failed) {
      const names = [keys.lead, keys.rows, keys.want, keys.trouble];
      const head = [token, KEYS_TTL_MS, failed === null ? "" : JSON.stringify(failed), TROUBLE_TTL_MS];
      const all = [...entries];
      for (let i = 0; i === 0 || i < all.length; i += MOST_ENTRIES) {
        const some = all.slice(i, i + MOST_ENTRIES).flatMap(([label, entry]) => [label, formatEntry(entry)]);
        if ((await redis.evaluate(PUBLISH, names, [...head, ...some])) !== 1) return false;
      }
      return true;
    },

    resign: async (token) => void (await redis.evaluate(RESIGN, [keys.lead], [token])),
  };
}

function readTrouble(text: string | null): Trouble | null {
  if (text === null) return null;
  const read = parseJson(text, trouble);
  return "value" in read ? read.value : null;
}

function pairs(flat: readonly string[]): Lead["next"] {
  return flat.flatMap((label, i) => (i % 2 === 0 ? [{ label, dueAt: Number(flat[i + 1]) }] : []));
}
