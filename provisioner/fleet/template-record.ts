// Whose turn it is to write a template, for all programs of an account: one writes at a time. Touches Redis.
import * as z from "zod";
import type { RedisScript } from "../redis/commands.ts";
import { REDIS_NOW } from "../redis/time.ts";
import { shortHash } from "./keys.ts";
import type { Fleet } from "./shared-reading.ts";

/** While it is held nobody else writes. */
export interface WritingTurn {
  /** `written`: what the pods have read of the template is old. `mark`: the account has the content with this mark; null: not known. */
  end(written: boolean, mark: string | null): Promise<void>;
}

export interface TemplateRecord {
  /** Null: another program has the turn, or Redis does not answer. */
  begin(templateName: string): Promise<WritingTurn | null>;
  /** True if a program has made sure of the content with this mark a short time ago: pods that start together read and write it once. */
  isApplied(templateName: string, mark: string): Promise<boolean>;
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

// Longer than a rollout takes to start its pods; a template that is edited by hand meanwhile is put right by a later start.
const MARK_TTL_MS = 600_000;

/** KEYS: the lock, the shared reading of the template, the mark. ARGV: token, 1 if the reading is old, the mark or "", its ms to live. */
const END_WRITING: RedisScript = {
  name: "end writing",
  proves: "writing",
  lua: `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '1' then
  redis.call('DEL', KEYS[2])
  redis.call('DEL', KEYS[3])
end
if ARGV[3] ~= '' then redis.call('SET', KEYS[3], ARGV[3], 'PX', ARGV[4]) end
redis.call('DEL', KEYS[1])
return 1`,
};

/** KEYS: the mark. */
const READ_MARK: RedisScript = { name: "template mark", proves: "reading", lua: "return redis.call('GET', KEYS[1])" };

const beginAnswer = z.number().nullable();

export function createTemplateRecord({ redis, keys, token }: Fleet): TemplateRecord {
  return {
    async begin(templateName) {
      const names = keys();
      if (names === null) return null;
      const hash = shortHash(templateName);
      const [lock, reading, markKey] = [names.templateLock(hash), names.template(hash), names.templateMark(hash)];
      const began = await redis
        .evaluate(BEGIN_WRITING, [lock], [token, TURN_MS])
        .then((raw) => beginAnswer.parse(raw))
        .catch(() => null); // the caller says that it was not its turn
      if (began === null) return null;
      return {
        async end(written, mark) {
          const args = [token, written ? 1 : 0, mark ?? "", MARK_TTL_MS];
          // When it fails, the lock ends by itself, and the pods read the template again within half a minute.
          await redis.evaluate(END_WRITING, [lock, reading, markKey], args).catch(() => undefined);
        },
      };
    },
    async isApplied(templateName, mark) {
      const names = keys();
      if (names === null) return false;
      const held = await redis.evaluate(READ_MARK, [names.templateMark(shortHash(templateName))], []).catch(() => null);
      return held === mark;
    },
  };
}
