// What each pod's provisioner says of its pod, for the command `status`: one hash for all pods of an account. Touches Redis.
import * as z from "zod";
import { parseJson } from "../../common/parse-json.ts";
import type { RedisScript, ScriptRunner } from "../redis/commands.ts";
import { REDIS_NOW } from "../redis/time.ts";
import type { FleetKeys } from "./keys.ts";

/** Grows when a field changes its meaning or goes away. */
export const POD_REPORT_SCHEMA = 1;

const podReportSchema = z.object({
  /** By a provisioner that changes nothing (VAST_POLICY=observe): it does not replace the report of one that acts. */
  observer: z.boolean().default(false),
  schema: z.literal(POD_REPORT_SCHEMA),
  pod: z.string(),
  state: z.string(),
  reason: z.string(),
  message: z.string(),
  /** Since when state and reason are what they are. */
  since: z.string().nullable(),
  next: z
    .object({ waitsFor: z.string(), deadline: z.string().nullable(), afterwards: z.string().nullable() })
    .nullable(),
  /** The image that is wanted. */
  image: z.string(),
  instanceId: z.int().nullable(),
  /** Estimates, as in `/status`. */
  instanceDollars: z.number().nullable(),
  paidDollars: z.number(),
  wastedDollars: z.number(),
  pendingPrice: z.object({ dollarsPerHour: z.number(), at: z.string().nullable() }).nullable(),
});
export type PodReport = z.infer<typeof podReportSchema>;
/** `at`: when Redis got it, by Redis' clock. */
const storedSchema = podReportSchema.extend({ at: z.number() });

/** A report as it is read; `null`: it was written by another version of the program, and only its age is known. */
export interface SeenReport {
  report: PodReport | null;
  ageMs: number;
}

// A provisioner writes each five minutes. A pod that was deleted with its volume, and does not come back, is forgotten after a day.
const FORGOTTEN_AFTER_MS = 86_400_000;
const SWEEP_EVERY_MS = 3_600_000;
/** A provisioner that has reported nothing for so long may not run any more: three times the interval of its reports. */
export const SILENT_AFTER_MS = 900_000;

/**
 * KEYS: the reports, the mark of the sweep. ARGV: label, report (JSON object), forgotten after ms, sweep every ms, `1` for an observer's
 * report, the age in ms up to which it does not replace that of a provisioner that acts.
 */
export const PUT_REPORT: RedisScript = {
  name: "put report",
  proves: "writing",
  lua: `
${REDIS_NOW}
if ARGV[5] == '1' then
  local before = redis.call('HGET', KEYS[1], ARGV[1]) or ''
  local at = tonumber(string.match(before, '^{"at":(%d+)') or '0')
  if not string.match(before, '^{"at":%d+,"observer":true') and now - at <= tonumber(ARGV[6]) then return 0 end
end
redis.call('HSET', KEYS[1], ARGV[1], '{"at":' .. string.format('%.0f', now) .. ',' .. string.sub(ARGV[2], 2))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
if redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[4]) then
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    local at = tonumber(string.match(all[i + 1], '^{"at":(%d+)') or '0')
    if now - at > tonumber(ARGV[3]) then redis.call('HDEL', KEYS[1], all[i]) end
  end
end
return 1`,
};

/** KEYS: the reports. ARGV: label. */
export const REMOVE_REPORT: RedisScript = {
  name: "remove report",
  proves: "reading",
  lua: "return redis.call('HDEL', KEYS[1], ARGV[1])",
};

/** KEYS: the reports. Answers Redis' time, and labels and reports by turns. */
export const READ_REPORTS: RedisScript = {
  name: "read reports",
  proves: "reading",
  lua: `
${REDIS_NOW}
return {string.format('%.0f', now), redis.call('HGETALL', KEYS[1])}`,
};

const reportsAnswer = z.tuple([z.coerce.number(), z.array(z.string())]);

export async function putReport(redis: ScriptRunner, keys: FleetKeys, label: string, report: PodReport): Promise<void> {
  const { observer, ...rest } = report;
  const text = JSON.stringify({ observer, ...rest }); // the script looks for it at the beginning
  const args = [label, text, FORGOTTEN_AFTER_MS, SWEEP_EVERY_MS, observer ? 1 : 0, SILENT_AFTER_MS];
  await redis.evaluate(PUT_REPORT, [keys.reports, keys.reportsSwept], args);
}

export async function removeReport(redis: ScriptRunner, keys: FleetKeys, label: string): Promise<void> {
  await redis.evaluate(REMOVE_REPORT, [keys.reports], [label]);
}

/** By label. */
export async function readReports(redis: ScriptRunner, keys: FleetKeys): Promise<Map<string, SeenReport>> {
  const [now, fields] = reportsAnswer.parse(await redis.evaluate(READ_REPORTS, [keys.reports], []));
  const reports = new Map<string, SeenReport>();
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const [label = "", text = ""] = fields.slice(i, i + 2);
    const at = Number(/^\{"at":(\d+)/.exec(text)?.[1] ?? 0);
    const read = parseJson(text, storedSchema);
    reports.set(label, { report: "value" in read ? read.value : null, ageMs: Math.max(0, now - at) });
  }
  return reports;
}
