// The copy in Redis of what must not be lost with the pod's volume: what it holds, and how it is taken over. Pure.
import * as z from "zod";
import { doomedSchema, type Intent, instantSchema, intentSchema, type Memory } from "../state/schema.ts";

const mirrorSchema = z.object({
  schema: z.literal(1),
  label: z.string(),
  /** The lease under which it was written: tells a provisioner its own copy from its predecessor's. */
  token: z.string(),
  intent: intentSchema.nullable(),
  doomed: z.array(doomedSchema),
  creates: z.array(instantSchema),
});
export type Mirror = z.infer<typeof mirrorSchema>;

export function formatMirror(memory: Memory, token: string): string {
  const { label, intent, doomed, creates } = memory;
  return JSON.stringify({ schema: 1, label, token, intent, doomed, creates } satisfies Mirror);
}

export function parseMirror(text: string, label: string): { mirror: Mirror } | { why: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { why: "it is not JSON" };
  }
  const parsed = mirrorSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return { why: `${issue?.path.join(".") ?? "it"}: ${issue?.message ?? "unreadable"}` };
  }
  // The ids of another label are none of our business: acting on them would touch what is not ours.
  if (parsed.data.label !== label) return { why: `it belongs to the label ${parsed.data.label}` };
  return { mirror: parsed.data };
}

/**
 * The memory with what a predecessor left behind: its doomed ids and creates besides ours, and its intent where ours is none
 * or older. A provisioner's own copy teaches it nothing: the disk was written before it, and knows what is gone since.
 */
export function takeOver(memory: Memory, mirror: Mirror, token: string, now: number): Memory {
  if (mirror.token === token) return memory;
  const more = mirror.doomed.filter((theirs) => !memory.doomed.some((ours) => ours.id === theirs.id));
  return {
    ...memory,
    intent: laterIntent(memory.intent, mirror.intent, now),
    doomed: [...memory.doomed, ...more],
    creates: [...new Set([...memory.creates, ...mirror.creates])].sort((a, b) => a - b),
  };
}

function laterIntent(ours: Intent | null, theirs: Intent | null, now: number): Intent | null {
  if (theirs === null || (ours !== null && ours.startedAt >= theirs.startedAt)) return ours;
  // A contract is ended as "never listed" only after lists of our own lacked it for the whole deadline: the copy may be from
  // before it was listed, if Redis was away since.
  return theirs.contract === null ? theirs : { ...theirs, startedAt: now };
}
