// What is kept about a change of image or template that has begun, and about one that the API does not take. Pure.
import * as z from "zod";

const instant = z.number(); // epoch ms

const container = z.object({ image: z.string(), templateHash: z.string() });

/** A change of one instance in place (updating.ts). */
export const updatingSchema = z.object({
  instanceId: z.int(),
  /** In the words of `converging`. */
  wanted: z.string(),
  image: z.string(),
  templateHash: z.string(),
  startedAt: instant,
  /** When the new template was sent, whatever came of it; null: it was certainly not sent, or the program was killed then. */
  sentAt: instant.nullable(),
  /** When the recycle was sent: from then on the container is another one. */
  recycledAt: instant.nullable(),
  /** Why it has failed: then the instance is replaced. */
  failed: z.string().nullable(),
  /** The container that served before it, to which it can go back; null where none is known, and when it goes back to it. */
  before: container.nullable().default(null),
  /** No attempt before this one was cut off or sent a recycle: until this one does, the container is the one of before. */
  isUntouched: z.boolean().optional(),
  /** What the row said about the container of before: it may say so for a while after the recycle. */
  statusBefore: z.string().default(""),
  /** It goes back to the container of before: why the new one was given up, and how many attempts had no answer. */
  undo: z.object({ why: z.string(), unanswered: z.int() }).nullable().default(null),
});

/** An instance that differs from what is wanted, in the words of `converging`, or whose contract `ends`, or that is left for a bid. */
export const outdatedSchema = z.object({
  id: z.int(),
  wanted: z.string(),
  reported: z.string(),
  ends: z.boolean().optional(),
  toBid: z.boolean().optional(),
});

/** A replacement that was created while the outdated instance serves (surge.ts). */
export const surgeSchema = z.object({
  old: outdatedSchema,
  /** The replacement; null until it is known. */
  newId: z.int().nullable(),
  /** When its create was sent. */
  since: instant,
});

/** Writes that are refused for the sake of the account or the key (refused-end.ts). */
export const refusedEndSchema = z.object({
  /** When the API last took a call that changes nothing and needs the same right; null: not since the refusal. */
  rehearsedAt: instant.nullable(),
  /** How many ends in a row were refused although such a call had been taken. */
  inSpite: z.int().min(0),
});
