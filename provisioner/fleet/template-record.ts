// Whose turn it is to write a template, for all programs of an account: one writes at a time. Touches Redis.
import * as z from "zod";
import type { RedisScript } from "../redis/commands.ts";
import { REDIS_NOW } from "../redis/time.ts";
import { shortHash } from "./keys.ts";
import type { Fleet } from "./shared-reading.ts";

/** While it is held nobody else writes. */
export interface WritingTurn {
  /** `written`: what the pods have read of the template is old. */
  end(written: boolean): Promise<void>;
}

export interface TemplateRecord {
  /** Null: another program has the turn, or Redis does not answer. */
  begin(templateName: string): Promise<WritingTurn | null>;
}

// Two reads, a write and two more reads, each with its wait for the rate limit. A program that dies meanwhile delays others so long.
const TURN_MS = 90_000;

/** KEYS: the lock. ARGV: token, ms. Answers the time, or nothing while another program has the lock. */
const BEGIN_WRITING: RedisScript = {
  name: "begin writing",
  proves: "writing",
  lua: `
${REDIS_NOW}
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return false end
return now`,
};

/** KEYS: the lock, the shared reading of the template. ARGV: token, 1 if the reading is old. */
const END_WRITING: RedisScript = {
  name: "end writing",
  proves: "writing",
  lua: `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '1' then redis.call('DEL', KEYS[2]) end
redis.call('DEL', KEYS[1])
return 1`,
};

const beginAnswer = z.number().nullable();

export function createTemplateRecord({ redis, keys, token }: Fleet): TemplateRecord {
  return {
    async begin(templateName) {
      const names = keys();
      if (names === null) return null;
      const [lock, reading] = [names.templateLock(shortHash(templateName)), names.template(shortHash(templateName))];
      const began = await redis
        .evaluate(BEGIN_WRITING, [lock], [token, TURN_MS])
        .then((raw) => beginAnswer.parse(raw))
        .catch(() => null); // the caller says that it was not its turn
      if (began === null) return null;
      return {
        async end(written) {
          // When it fails, the lock ends by itself, and the pods read the template again within half a minute.
          await redis.evaluate(END_WRITING, [lock, reading], [token, written ? 1 : 0]).catch(() => undefined);
        },
      };
    },
  };
}
