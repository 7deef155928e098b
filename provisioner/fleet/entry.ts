// One label's entry in the list that the pods of a fleet share: its instances, and when the leader asked the API for them. Pure.
import * as z from "zod";
import { parseJson } from "../../common/parse-json.ts";
import type { Why } from "../model/observation.ts";
import type { Instance } from "../vast/rows.ts";

/** `askedAt` by Redis' clock, epoch ms. `why`: the label's instances could not be read. */
export type Entry = { askedAt: number } & ({ rows: readonly Instance[] } | { why: Why });

export const why: z.ZodType<Why> = z.object({
  message: z.string(),
  account: z.enum(["auth", "two_factor", "no_credit", "spend_limit"]).nullable(),
});
const numberOrNull = z.number().nullable();
const textOrNull = z.string().nullable();
const instance: z.ZodType<Instance> = z.object({
  id: z.int().positive(),
  label: textOrNull,
  hostId: numberOrNull,
  machineId: numberOrNull,
  actualStatus: textOrNull,
  intendedStatus: textOrNull,
  curState: textOrNull,
  nextState: textOrNull,
  statusMessage: z.string(),
  image: z.string(),
  templateHash: textOrNull,
  address: z.string(),
  ports: z.record(z.string(), z.int().min(1).max(65_535)).nullable(),
  directPortStart: numberOrNull,
  dollarsPerHour: numberOrNull,
  diskDollarsPerHour: numberOrNull.default(null), // version 0.1.0 wrote neither this nor the other ones with a default
  gpuDollarsPerHour: numberOrNull.default(null),
  diskGb: numberOrNull.default(null),
  gpuName: z.string(),
  gpus: numberOrNull.default(null),
  createdAt: numberOrNull,
  endsAt: numberOrNull.default(null),
  isBid: z.boolean(),
  minBid: numberOrNull.default(null),
});
const askedAt = z.int().positive();
const entry = z.union([z.object({ askedAt, rows: z.array(instance) }), z.object({ askedAt, why })]);

/** The script that looks at an entry reads `askedAt` at its beginning. */
export function formatEntry(entry: Entry): string {
  const { askedAt } = entry;
  if ("why" in entry) return JSON.stringify({ askedAt, why: entry.why });
  const rows = entry.rows.map((row) => ({ ...row, statusMessage: masked(row.statusMessage) }));
  return JSON.stringify({ askedAt, rows });
}

/** Null: it is broken, or holds an instance of another label. Then nothing is known of the label. */
export function parseEntry(text: string, label: string): Entry | null {
  const read = parseJson(text, entry);
  if ("why" in read) return null;
  const { value } = read;
  return "rows" in value && value.rows.some((row) => row.label !== label) ? null : value;
}

// Longer texts are cut: a message shows no more of them anyway.
const MOST_STATUS_CHARACTERS = 1000;
// What follows these words, or stands before the host of a URL, may be a password.
const AFTER_WORD = /((?:^|[\s"'])(?:-p|--password|(?:password|passwd|token|secret|bearer)\b)[\s"'=:]+)[^\s"']+/gi;
const IN_URL = /(\/\/)[^\s/@]+@/g;
// A long word with letters and digits may be a token.
const LONG_WORD = /(?=[\w+=-]*\d)(?=[\w+=-]*[a-z])[\w+=-]{20,}/gi;

/**
 * A host's status message without what may be a secret: the leader knows its own secrets, but not those of the pod whose instance it
 * reads. The words by which a failure is recognised stay.
 */
export function masked(statusMessage: string): string {
  const text = statusMessage.slice(0, MOST_STATUS_CHARACTERS);
  return text.replace(AFTER_WORD, "$1[masked]").replace(IN_URL, "$1[masked]@").replace(LONG_WORD, "[masked]");
}
