// The copy in Redis of what must not be lost with the pod's volume: its content, and how a successor takes it over. Pure.
import * as z from "zod";
import { parseJson } from "../../common/parse-json.ts";
import { publishedInstanceSchema, serverSchema } from "../../common/upstream-file.ts";
import { fallbackSchema } from "../state/bids-schema.ts";
import { pendingDeleteSchema, withoutUnsentDuplicates } from "../state/pending-delete.ts";
import { CURRENT_SCHEMA, type Intent, instantSchema, intentSchema, moneySchema, type State } from "../state/schema.ts";
import { fromSchema1 } from "../state/schema-1.ts";
import { surgeSchema, updatingSchema } from "../state/updates-schema.ts";

const leftServerSchema = z.object({
  server: serverSchema,
  instance: publishedInstanceSchema,
  /** When its probe was last known to pass, by the writer's clock. */
  servedAt: instantSchema,
  /** Until when lists showed the instance with the label. */
  listedAt: instantSchema,
});
/** The server that a provisioner publishes. */
export type LeftServer = z.infer<typeof leftServerSchema>;

const mirrorSchema = z.object({
  schema: z.literal(CURRENT_SCHEMA),
  label: z.string(),
  /** The token of the writer: distinguishes a provisioner's own copy from its predecessor's. */
  token: z.string(),
  intent: intentSchema.nullable(),
  pendingDeletes: z.array(pendingDeleteSchema),
  creates: z.array(instantSchema),
  /** The container of before, to which an update can go back, is known nowhere else. */
  updating: updatingSchema.nullable().default(null),
  surge: surgeSchema.nullable().default(null),
  fallback: fallbackSchema.nullable().default(null),
  /** What the pod's instances have cost; null: not counted yet, or the copy is of a version that did not keep it here. */
  money: moneySchema.nullable().default(null),
  /** When the writer's program started, by its clock; null: it is not one that keeps an instance, or is of an earlier version. */
  startedAt: instantSchema.nullable().default(null),
  /** Whether the writer's state file had this, too: its volume may have been full. */
  saved: z.boolean().default(true),
  /** What the writer published; null: nothing, or the copy is of a version that did not keep it here. */
  left: leftServerSchema.nullable().default(null),
});
export type Mirror = z.infer<typeof mirrorSchema>;

/** `acts`: the part without which a successor could act wrongly. The rest of `text`, the money and instants, changes all the time. */
export function formatMirror(
  state: State,
  token: string,
  saved: boolean,
  left: LeftServer | null = null,
  startedAt: number | null = null,
): { text(): string; acts: string } {
  const { label, intent, pendingDeletes, creates, updating, surge, fallback } = state;
  const changes = { intent, pendingDeletes, creates, updating, surge, fallback };
  const acts = { schema: CURRENT_SCHEMA, label, token, ...changes, startedAt, saved } as const;
  const money = state.money.since === null ? null : state.money;
  return {
    text: () => JSON.stringify({ ...acts, money, left } satisfies Mirror),
    acts: JSON.stringify([acts, left && [left.server, left.instance]]),
  };
}

/** A copy of this state says no more than that there is none: nothing was begun or rented. */
export function tellsNothing({ intent, pendingDeletes, creates, updating, surge, money }: State): boolean {
  const begun = [intent, updating, surge].some((one) => one !== null);
  return (
    !begun &&
    pendingDeletes.length === 0 &&
    creates.length === 0 &&
    Object.keys(money.instances).length === 0 &&
    money.paid === 0
  );
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
 * ours is missing or older; so is its update of an instance that this program does not know; what was paid goes on. A restarted
 * provisioner ignores its own copy where its state file has it: that is written first, and is newer.
 */
export function takeOver(state: State, mirror: Mirror, token: string, now: number): State {
  if (mirror.token === token && mirror.saved) return state;
  const theirDeletes = withoutUnsentDuplicates(mirror.pendingDeletes);
  const more = theirDeletes.filter((theirs) => !state.pendingDeletes.some((ours) => ours.id === theirs.id));
  return {
    ...state,
    intent: laterIntent(state.intent, mirror.intent, now),
    pendingDeletes: [...state.pendingDeletes, ...more],
    creates: [...new Set([...state.creates, ...mirror.creates])].sort((a, b) => a - b),
    updating: state.updating ?? unknownUpdate(state, mirror.updating),
    surge: state.surge ?? mirror.surge,
    fallback: state.fallback ?? mirror.fallback,
    money: longerAccount(state.money, mirror.money),
  };
}

/**
 * The server that a predecessor published, for a provisioner that knows of no instance: `state` is what it has after `takeOver`. Null for
 * its own copy, where an instance may be another one by now, and for one that was to be destroyed.
 */
export function leftServer(state: State, { left, token: writer }: Mirror, token: string): LeftServer | null {
  const knowsOfOne = Object.keys(state.tracks).length > 0 || state.intent !== null;
  if (left === null || writer === token || knowsOfOne) return null;
  return state.pendingDeletes.some(({ id }) => id === left.instance.id) ? null : left;
}

/** An instance that this program knows may have been updated since. */
function unknownUpdate({ tracks }: State, theirs: Mirror["updating"]): Mirror["updating"] {
  return theirs === null || tracks[theirs.instanceId] !== undefined ? null : theirs;
}

/** The account that began earlier; of one that both continue, the one that has counted more. An instance is counted on from there. */
function longerAccount(ours: State["money"], theirs: Mirror["money"]): State["money"] {
  if (theirs === null || theirs.since === null) return ours;
  if (ours.since === null || theirs.since < ours.since) return theirs;
  return theirs.since === ours.since && theirs.paid > ours.paid ? theirs : ours;
}

function laterIntent(ours: Intent | null, theirs: Intent | null, now: number): Intent | null {
  if (theirs === null || (ours !== null && ours.startedAt >= theirs.startedAt)) return ours;
  // A contract is destroyed as "never listed" only after our own lists lacked it for the whole deadline: if Redis was unreachable
  // since, the copy may be from before the contract was listed.
  return theirs.contract === null ? theirs : { ...theirs, startedAt: now };
}
