// The copy in Redis of what must not be lost with the pod's volume: its content, and how a successor takes it over. Pure.
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
  /** The token of the writer: distinguishes a provisioner's own copy from its predecessor's. */
  token: z.string(),
  intent: intentSchema.nullable(),
  pendingDeletes: z.array(pendingDeleteSchema),
  creates: z.array(instantSchema),
  /** Whether the writer's state file had this, too: its volume may have been full. */
  saved: z.boolean().default(true),
});
export type Mirror = z.infer<typeof mirrorSchema>;

export function formatMirror({ label, intent, pendingDeletes, creates }: State, token: string, saved: boolean): string {
  const mirror: Mirror = { schema: CURRENT_SCHEMA, label, token, intent, pendingDeletes, creates, saved };
  return JSON.stringify(mirror);
}

export function parseMirror(text: string, label: string): { mirror: Mirror } | { why: string } {
  const read = parseJson(text, mirrorSchema, fromSchema1);
  if ("why" in read) return read;
  // The ids belong to another label: acting on them would destroy instances that are not ours.
  if (read.value.label !== label) return { why: `it belongs to the label ${read.value.label}` };
  return { mirror: read.value };
}

/**
 * The state with what a predecessor left in Redis: its pending deletes and creates are added to ours, and its intent is used when
 * ours is missing or older. A restarted provisioner ignores its own copy where its state file has it: that is written first, and is newer.
 */
export function takeOver(state: State, mirror: Mirror, token: string, now: number): State {
  if (mirror.token === token && mirror.saved) return state;
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
  // A contract is destroyed as "never listed" only after our own lists lacked it for the whole deadline: if Redis was unreachable
  // since, the copy may be from before the contract was listed.
  return theirs.contract === null ? theirs : { ...theirs, startedAt: now };
}
