// Faults: which calls go wrong, how often and how. Pure.
import { z } from "zod";

const status = z.int().min(100).max(599);
const seconds = z.number().min(0);

/** The forms of errors that the API is known to use. */
export const errorForms = ["main", "no-success", "msg", "message", "detail", "text", "html", "ask"] as const;
export type ErrorForm = (typeof errorForms)[number];

const effectSchema = z.discriminatedUnion("kind", [
  /** This answer; the call is not executed. */
  z.object({ kind: z.literal("answer"), status, body: z.json().optional(), contentType: z.string().optional() }),
  /** An error in one of the API's forms; the call is not executed. */
  z.object({
    kind: z.literal("error"),
    status,
    form: z.enum(errorForms),
    error: z.string().optional(),
    msg: z.string().optional(),
  }),
  /** A gateway's page with `status` (default 200); the call is not executed. */
  z.object({ kind: z.literal("html"), status: status.default(200) }),
  /** Executed, but the answer's JSON ends in the middle. */
  z.object({ kind: z.literal("garbage") }),
  z.object({ kind: z.literal("cut-before") }),
  z.object({ kind: z.literal("cut-after") }),
  z.object({ kind: z.literal("hang-before") }),
  z.object({ kind: z.literal("hang-after") }),
  /** Executed, but the answer has this status. */
  z.object({ kind: z.literal("commit-then"), status, body: z.json().optional() }),
  /** Executed, but these fields of the JSON answer, and its status if given, are changed. */
  z.object({ kind: z.literal("rewrite"), set: z.record(z.string(), z.json()), status: status.optional() }),
  /** Executed; the answer comes late. */
  z.object({ kind: z.literal("delay"), seconds }),
  /** Executed; the answer's body arrives slowly. */
  z.object({ kind: z.literal("slow-body"), bytesPerSecond: z.number().positive() }),
  /** Create: it succeeds and is billed, but the row never appears. */
  z.object({ kind: z.literal("no-row") }),
  /** Create: the row appears late. */
  z.object({ kind: z.literal("late-row"), seconds }),
  /** Destroy: the row is still listed. */
  z.object({ kind: z.literal("linger"), seconds }),
]);
export type Effect = z.infer<typeof effectSchema>;

/** The `kind` of every effect. */
export const effectKinds: readonly string[] = effectSchema.options.map(({ shape }) => shape.kind.value);

/** `{status, body?, contentType?}` is short for the effect `answer`. */
const shortAnswer = z
  .strictObject({ status, body: z.json().optional(), contentType: z.string().optional() })
  .transform((answer): Effect => ({ kind: "answer", ...answer }));

export const faultSchema = z.strictObject({
  method: z
    .string()
    .transform((method) => method.toUpperCase())
    .optional(),
  /** Regular expression over the path, without query. */
  path: z
    .string()
    .refine((source) => isPattern(source), { error: "is not a regular expression" })
    .optional(),
  /** How many matching calls it hits; 0 means all. */
  times: z.int().min(0).default(1),
  /** How many matching calls pass first. */
  skip: z.int().min(0).default(0),
  probability: z.number().min(0).max(1).default(1),
  effect: z.union([effectSchema, shortAnswer]),
});

export interface FaultRule extends z.infer<typeof faultSchema> {
  id: number;
  /** How many calls it has hit. */
  hits: number;
  skipped: number;
}

function isPattern(source: string): boolean {
  try {
    return new RegExp(source) instanceof RegExp;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/** The effect on this call, or null: that of the first matching rule that is not used up. */
export function faultFor(
  rules: FaultRule[],
  method: string,
  path: string,
  chance: (p: number) => boolean,
): Effect | null {
  for (const rule of rules) {
    if (rule.times > 0 && rule.hits >= rule.times) continue;
    if (rule.method !== undefined && rule.method !== method) continue;
    if (rule.path !== undefined && !new RegExp(rule.path).test(path)) continue;
    if (rule.skipped < rule.skip) {
      rule.skipped += 1;
      continue;
    }
    if (rule.probability < 1 && !chance(rule.probability)) continue;
    rule.hits += 1;
    return rule.effect;
  }
  return null;
}
