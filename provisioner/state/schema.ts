// What the provisioner keeps from pass to pass and, in the state file, from start to start. Pure.
import * as z from "zod";
import { isHost } from "../../common/upstream-file.ts";
import { fallbackSchema, raisedBidSchema } from "./bids-schema.ts";
import { bootSchema } from "./boots.ts";
import { historySchema } from "./history.ts";
import { pendingDeleteSchema } from "./pending-delete.ts";
import { NO_RECORDS, recordsSchema } from "./records.ts";
import { outdatedSchema, refusedEndSchema, surgeSchema, updatingSchema } from "./updates-schema.ts";

/** Of the state file and of its copy in Redis. Schema 1 is read too (schema-1.ts). */
export const CURRENT_SCHEMA = 2;

export const instantSchema = z.number(); // epoch ms

const track = z.object({
  /** When this program first saw the instance, or learned from the ban store that waiting began. */
  waitingSince: instantSchema,
  firstSeenAt: instantSchema,
  runningSince: instantSchema.nullable(),
  /** Since when it runs and the API shows no map of its ports. */
  noMapSince: instantSchema.nullable().default(null),
  /** Whether it has ever served. */
  wasReady: z.boolean(),
  serving: z.boolean(),
  servingSince: instantSchema.nullable(),
  /** The endpoint that is probed; a new one resets the counts. */
  endpoint: z.object({ host: z.string().refine(isHost), port: z.int().min(1).max(65535) }).nullable(),
  failedProbes: z.int(),
  /** When the newest probe that is recorded here ended; 0 before the first. */
  probedAt: instantSchema.default(0),
  /** When the first of the failed or passing probes in a row ended that are being counted. */
  streakSince: instantSchema.default(0),
  /** How many passing probes in a row are still needed after failed ones took it down; 0 when none are. */
  passesMissing: z.int().default(0),
  /** TCP connects although the HTTP probe fails. */
  tcpOpen: z.boolean(),
  /** Since when every probe was refused by its host: the host is reached, and nothing listens there. */
  refusedSince: instantSchema.nullable().default(null),
  notServingSince: instantSchema.nullable(),
  /** Since when it is lost, how many lists have shown that, when the last of them was read, and whether its probe failed meanwhile. */
  lost: z
    .object({ since: instantSchema, reads: z.int(), readAt: instantSchema, down: z.boolean().optional() })
    .nullable(),
  /** When a look last observed it; null in a state that an earlier version wrote. */
  observedAt: instantSchema.nullable().default(null),
  /** How much time the instants above leave out, because nobody looked: what the ban store knows of the wait has it still in it. */
  unobservedMs: z.number().default(0),
  /** How many lists in a row have shown that its contract is stopped, and when the last of them was read. */
  stopped: z.object({ reads: z.int(), readAt: instantSchema }).nullable().default(null),
  /** Came back from `lost` within its grace: counts as a restart of this instance, not yet written to the ban store. */
  uncountedRestarts: z.int(),
  /** When its contract ends, since when the lists say that, how many have said it, and when the last of them was read. */
  contractEnd: z
    .object({ at: instantSchema, since: instantSchema, reads: z.int(), readAt: instantSchema })
    .nullable()
    .default(null),
  /** Whether it differed from what is wanted when this pod's state first knew it; null: not known yet. */
  foundOutdated: z.boolean().nullable().default(false),
});
/** What is known about one instance over time. */
export type Track = z.infer<typeof track>;

export const intentSchema = z.object({
  offerId: z.int(),
  hostId: z.number().nullable(),
  machineId: z.number().nullable(),
  dollarsPerHour: z.number().nullable().default(null),
  label: z.string(),
  startedAt: instantSchema,
  /** The id in the answer to the create; null while the outcome is unknown. */
  contract: z.int().nullable(),
  /** The outdated instance that serves until this one does (surge.ts). */
  besides: outdatedSchema.optional(),
  /** It is rented on demand because bids have failed (fallback.ts). */
  fallback: z.boolean().optional(),
});
export type Intent = z.infer<typeof intentSchema>;

export type UnwrittenBan = State["unwrittenBans"][number];

const backoff = z.object({
  reason: z.enum([
    "no_offer",
    "offers_lost",
    "create_refused",
    "create_rate_limited",
    "image_unavailable",
    "disk_too_small",
    "app_not_listening",
  ]),
  message: z.string(),
  failures: z.int(),
  until: instantSchema,
  /** The revision that failed (model/desired.ts): another one is tried at once. */
  wanted: z.string(),
});
export type Backoff = z.infer<typeof backoff>;

/** Why a serving instance is not replaced: it was not destroyed or updated, its update failed, or nothing could be created in its place. */
export const HELD_REASONS = [
  "destroy_refused",
  "update_refused",
  "update_failed",
  "no_offer",
  "create_refused",
  "create_rate_limited",
  "account_auth",
  "account_two_factor",
  "account_no_credit",
  "account_spend_limit",
] as const;

/** What the instances of the label have cost (money.ts). */
export const moneySchema = z.object({
  /** Since when it is counted; null before the first pass. */
  since: instantSchema.nullable(),
  /** $, only ever growing. */
  paid: z.number(),
  /** The part of it for time in which no server of the instance was published. */
  wasted: z.number(),
  observedAt: instantSchema.nullable(),
  /** By instance id. */
  instances: z.record(
    z.string(),
    z.object({
      paid: z.number(),
      /** $/h when it was last listed; null: the API has shown no price yet. */
      rate: z.number().nullable(),
      /** It has run: from then on its GPUs are charged. */
      hasRun: z.boolean(),
      countedUntil: instantSchema,
      /** For how long its server was published since `countedUntil`. */
      publishedMs: z.number(),
      /** The first list that did not show it any more. */
      goneAt: instantSchema.nullable(),
    }),
  ),
});
const NO_MONEY: z.infer<typeof moneySchema> = { since: null, paid: 0, wasted: 0, observedAt: null, instances: {} };

export const stateSchema = z.object({
  schema: z.literal(CURRENT_SCHEMA),
  label: z.string(),
  generation: z.int().min(0),
  tracks: z.record(z.string(), track),
  intent: intentSchema.nullable(),
  pendingDeletes: z.array(pendingDeleteSchema),
  /** Starts of creates that succeeded or may have, within the last hour. */
  creates: z.array(instantSchema),
  /** Machines on which an instance failed, until when they are avoided, and whether it had served there (avoided.ts). */
  avoided: z.array(z.object({ machineId: z.number(), until: instantSchema, served: z.boolean().default(false) })),
  /** Bans that could not be written to Redis yet: they hold for this pod, and are written when Redis is back. */
  unwrittenBans: z
    .array(z.object({ kind: z.enum(["host", "machine"]), id: z.number(), reason: z.string(), instanceId: z.int() }))
    .default([]),
  /** Offers that were taken by somebody else, and until when they are skipped. */
  goneOffers: z.array(z.object({ id: z.int(), until: instantSchema })),
  backoff: backoff.nullable(),
  account: z
    .object({
      trouble: z.enum(["auth", "two_factor", "no_credit", "spend_limit"]),
      message: z.string(),
      failures: z.int(),
      until: instantSchema,
    })
    .nullable(),
  /** The difference of the last replacement, until an instance has been as wanted for a while (replacements.ts). */
  converging: z.object({ wanted: z.string(), reported: z.string(), agreedSince: instantSchema.optional() }).nullable(),
  /** Replacements for a difference within the last hour, each with the desired revision for which it was made. */
  replacements: z.array(z.object({ at: instantSchema, revision: z.string() })).default([]),
  /** When the instance was replaced by one that this provisioner did not create (takeovers.ts). */
  takeovers: z
    .object({
      vanishedAt: instantSchema.nullable(),
      vanished: z.array(z.int()).default([]),
      foreign: z.object({ id: z.int(), at: instantSchema }).nullable(),
      at: z.array(instantSchema),
    })
    .default({ vanishedAt: null, vanished: [], foreign: null, at: [] }),
  /** Why the serving instance is not replaced at the moment although it differs, and until when (held-replacement.ts). */
  heldReplacement: z
    .object({
      instanceId: z.int(),
      /** What the replacement would bring, in the words of `converging`. */
      wanted: z.string(),
      reason: z.enum(HELD_REASONS),
      message: z.string(),
      failures: z.int(),
      until: instantSchema,
    })
    .nullable()
    .default(null),
  /** That writes are refused for the account's sake, and what shows that this is over (refused-end.ts). */
  refusedEnd: refusedEndSchema.nullable().default(null),
  /** The change of an instance in place that has begun, or has failed (updating.ts). */
  updating: updatingSchema.nullable().default(null),
  /** The replacement that comes up while the outdated instance serves (surge.ts). */
  surge: surgeSchema.nullable().default(null),
  /** Bids that failed within the last hour, and the bid that was raised (bids.ts). */
  bidFailures: z.array(instantSchema).default([]),
  raisedBid: raisedBidSchema.nullable().default(null),
  /** On demand although bids are wanted (fallback.ts). */
  fallback: fallbackSchema.nullable().default(null),
  /** How many instances in a row had an app that never listened, and for which revision. */
  notListening: z.object({ wanted: z.string(), count: z.int() }).nullable(),
  /** How many instances in a row could not use the image or had too small a disk, and for which revision. */
  brokenImages: z.object({ wanted: z.string(), count: z.int() }).nullable().default(null),
  /** An instance has served here: one that is lost is replaced before other pods get their first. */
  hasServed: z.boolean().default(false),
  /** The host of the last instance that was replaced as unreachable. */
  unreachableHost: z.number().nullable(),
  /** Whether an empty list proves at once that there is no instance: a complete list was read before. */
  confirmedNone: z.boolean(),
  firstNoneAt: instantSchema.nullable(),
  template: z
    .object({
      id: z.int(),
      hash: z.string(),
      name: z.string(),
      creatorId: z.number().nullable(),
      diskSpace: z.number().nullable(),
      publishedPorts: z.int().min(0).default(0),
      portFlags: z.string().optional(),
      seenAt: instantSchema,
      /** When it was asked for: a reading of an earlier time does not replace it. */
      readAt: instantSchema.default(0),
    })
    .nullable(),
  /** The ports of the template's content before that, which the instance may still have. */
  templateBefore: z.object({ hash: z.string(), portFlags: z.string() }).nullable().default(null),
  /** When the instances were last observed. */
  observedAt: instantSchema.nullable().default(null),
  listUnknownSince: instantSchema.nullable(),
  bansUnknownSince: instantSchema.nullable(),
  /** The account of the API key, by which the keys in Redis are named; null until a provisioner with Redis has read it. */
  accountId: z.int().nullable().default(null),
  /** What the run wanted that wrote this (`revisionOf`); null: that is not known. */
  revision: z.string().nullable().default(null),
  /** How many pods with the API key there were last: while Redis is away each keeps to a slot of its own. */
  fleetSize: z.int().min(0).default(0),
  money: moneySchema.default(NO_MONEY),
  records: recordsSchema.default(NO_RECORDS),
  /** How the latest instances came up (boots.ts). */
  boots: z.array(bootSchema).default([]),
  /** The owner of the lease in Redis: after a restart the provisioner is the same owner. */
  leaseToken: z.string().nullable().default(null),
  /** The last transitions (history.ts). */
  history: historySchema,
});
export type State = z.infer<typeof stateSchema>;

/** The state of a provisioner that has never run here. */
export function emptyState(label: string): State {
  return {
    schema: CURRENT_SCHEMA,
    label,
    generation: 0,
    tracks: {},
    intent: null,
    pendingDeletes: [],
    creates: [],
    avoided: [],
    unwrittenBans: [],
    goneOffers: [],
    backoff: null,
    account: null,
    converging: null,
    replacements: [],
    takeovers: { vanishedAt: null, vanished: [], foreign: null, at: [] },
    heldReplacement: null,
    refusedEnd: null,
    updating: null,
    surge: null,
    bidFailures: [],
    raisedBid: null,
    fallback: null,
    notListening: null,
    brokenImages: null,
    hasServed: false,
    unreachableHost: null,
    confirmedNone: false,
    firstNoneAt: null,
    template: null,
    templateBefore: null,
    observedAt: null,
    listUnknownSince: null,
    bansUnknownSince: null,
    accountId: null,
    revision: null,
    fleetSize: 0,
    money: NO_MONEY,
    records: NO_RECORDS,
    boots: [],
    leaseToken: null,
    history: [],
  };
}
