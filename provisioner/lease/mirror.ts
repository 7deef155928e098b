// The copy in Redis of what must not be lost with the pod's volume: what it holds, and how it is taken over. Pure.
import * as z from "zod";
import { parseJson } from "../../common/parse-json.ts";
import {
  CURRENT_SCHEMA,
  type Intent,
  instantSchema,
  intentSchema,
  pendingDeleteSchema,
  type State,
} from "../state/schema.ts";
import { fromSchema1 } from "../state/schema-1.ts";

const mirrorSchema = z.object({
  schema: z.literal(CURRENT_SCHEMA),
  label: z.string(),
  /** The lease under which it was written: tells a provisioner its own copy from its predecessor's. */
  token: z.string(),
  intent: intentSchema.nullable(),
  pendingDeletes: z.array(pendingDeleteSchema),
  creates: z.array(instantSchema),
});
export type Mirror = z.infer<typeof mirrorSchema>;

export function formatMirror(state: State, token: string): string {
  const { label, intent, pendingDeletes, creates } = state;
  return JSON.stringify({ schema: CURRENT_SCHEMA, label, token, intent, pendingDeletes, creates } satisfies Mirror);
}

export function parseMirror(text: string, label: string): { mirror: Mirror } | { why: string } {
  const read = parseJson(text, mirrorSchema, fromSchema1);
  if ("why" in read) return read;
  // The ids of another label are none of our business: acting on them would touch what is not ours.
  if (read.value.label !== label) return { why: `it belongs to the label ${read.value.label}` };
  return { mirror: read.value };
}

/**
 * The memory with what a predecessor left behind: its doomed ids and creates besides ours, and its intent where ours is none
 * or older. A provisioner's own copy teaches it nothing: the disk was written before it, and knows what is gone since.
 */
export function takeOver(state: State, mirror: Mirror, token: string, now: number): State {
  if (mirror.token === token) return state;
  const more = mirror.pendingDeletes.filter((theirs) => !state.pendingDeletes.some((ours) => ours.id === theirs.id));
  return {
    ...state,
    intent: laterIntent(state.intent, mirror.intent, now),
    pendingDeletes: [...state.pendingDeletes, ...more],
    creates: [...new Set([...state.creates, ...mirror.creates])].sort((a, b) => a - b),
  };
}

function laterIntent(ours: Intent | null, theirs: Intent | null, now: number): Intent | null {
  if (theirs === null || (ours !== null && ours.startedAt >= theirs.startedAt)) return ours;
  // A contract is ended as "never listed" only after lists of our own lacked it for the whole deadline: the copy may be from
  // before it was listed, if Redis was away since.
  return theirs.contract === null ? theirs : { ...theirs, startedAt: now };
}
