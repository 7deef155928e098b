// How the latest instances of an image came up in all pods of an account: a list for each image. Touches Redis.
import * as z from "zod";
import type { RedisScript } from "../redis/commands.ts";
import { shortHash } from "./keys.ts";
import type { Fleet } from "./shared-reading.ts";

/** Ms until it ran, and from then until it answered. */
export type BootTimes = readonly [bootMs: number, appMs: number];

export interface BootStore {
  /** The latest of the image, the oldest first; null: Redis does not answer, or the account is not known yet. */
  read(image: string): Promise<BootTimes[] | null>;
  /** Never rejects: a start that Redis does not take is not told to the others. */
  add(image: string, times: BootTimes): Promise<void>;
}

// An image that nobody has started for so long is forgotten: so there are no more keys than images of a month.
const TTL_MS = 30 * 86_400_000;
// As many as a pod remembers of its own (state/boots.ts).
const MOST_BOOTS = 8;

/** KEYS: the list. ARGV: ttl ms, most of them, "<boot ms> <app ms>". */
export const ADD_BOOT: RedisScript = {
  name: "add boot",
  proves: "writing",
  lua: `
redis.call('RPUSH', KEYS[1], ARGV[3])
redis.call('LTRIM', KEYS[1], -tonumber(ARGV[2]), -1)
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return redis.call('LLEN', KEYS[1])`,
};

/** KEYS: the list. Answers all of it. */
export const READ_BOOTS: RedisScript = {
  name: "read boots",
  proves: "reading",
  lua: "return redis.call('LRANGE', KEYS[1], 0, -1)",
};

const readAnswer = z.array(z.string());
const TIMES = /^(\d{1,12}) (\d{1,12})$/;

export function createBootStore(fleet: Fleet | null): BootStore {
  const keyOf = (image: string) => fleet?.keys()?.boots(shortHash(image)) ?? null;
  return {
    async read(image) {
      const key = keyOf(image);
      if (fleet === null || key === null) return null;
      try {
        const texts = readAnswer.parse(await fleet.redis.evaluate(READ_BOOTS, [key], []));
        // What another version of the program has written is unknown.
        return texts.flatMap((text): BootTimes[] => {
          const match = TIMES.exec(text);
          return match === null ? [] : [[Number(match[1]), Number(match[2])]];
        });
      } catch {
        return null; // the connection reports its outage, and this pod goes by its own
      }
    },
    async add(image, times) {
      const key = keyOf(image);
      if (fleet === null || key === null) return;
      const text = times.map((ms) => Math.round(ms)).join(" ");
      await fleet.redis.evaluate(ADD_BOOT, [key], [TTL_MS, MOST_BOOTS, text]).catch(() => undefined); // as above
    },
  };
}
