// One label's entry in the list that the pods of a fleet share: its instances, and when the leader asked the API for them. Pure.
import * as z from "zod";
import { parseJson } from "../../common/parse-json.ts";
import type { Instance } from "../vast/rows.ts";

/** `askedAt` by Redis' clock, epoch ms. */
export interface Entry {
  askedAt: number;
  rows: readonly Instance[];
}

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
  gpuName: z.string(),
  createdAt: numberOrNull,
  isBid: z.boolean(),
});
const entry = z.object({ askedAt: z.int().positive(), rows: z.array(instance) });

/** The script that looks at an entry reads `askedAt` at its beginning. */
export function formatEntry({ askedAt, rows }: Entry): string {
  return JSON.stringify({ askedAt, rows: rows.map((row) => ({ ...row, statusMessage: masked(row.statusMessage) })) });
}

/** Null: it is broken, or holds an instance of another label. Then nothing is known of the label. */
export function parseEntry(text: string, label: string): Entry | null {
  const read = parseJson(text, entry);
  if ("why" in read || read.value.rows.some((row) => row.label !== label)) return null;
  return read.value;
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
function masked(statusMessage: string): string {
  const text = statusMessage.slice(0, MOST_STATUS_CHARACTERS);
  return text.replace(AFTER_WORD, "$1[masked]").replace(IN_URL, "$1[masked]@").replace(LONG_WORD, "[masked]");
}
