// What the provisioner remembers from pass to pass and, through the state file, from start to start. Pure.
import * as z from "zod";
import { isHost } from "../../common/upstream-file.ts";

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
  /** Ever served since we know it. */
  wasReady: z.boolean(),
  serving: z.boolean(),
  servingSince: instantSchema.nullable(),
  /** The endpoint that the probe asks; a new one starts the count anew. */
  endpoint: z.object({ host: z.string().refine(isHost), port: z.int().min(1).max(65535) }).nullable(),
  failedProbes: z.int(),
  /** Passing probes in a row that bring it back after failed ones took it down; 0 while it is not down for that. */
  passesMissing: z.int().default(0),
  /** TCP connects although the HTTP probe fails. */
  tcpOpen: z.boolean(),
  notServingSince: instantSchema.nullable(),
  /** `readAt` is the list that showed it last: two reads are two lists. */
  lost: z.object({ since: instantSchema, reads: z.int(), readAt: instantSchema }).nullable(),
  /** Came back from `lost` within its grace: counts as a restart of this instance, not yet written to the ban store. */
  uncountedRestarts: z.int(),
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
  /** The id that the create answered; null while its outcome is unknown. */
  contract: z.int().nullable(),
});
export type Intent = z.infer<typeof intentSchema>;

export const pendingDeleteSchema = z.object({
  id: z.int(),
  reason: z.string(),
  since: instantSchema,
  /** When DELETE was last sent; null when it was not yet. */
  deleteSentAt: instantSchema.nullable(),
  /** The API itself said that the contract is ended, or that there is none: needed where no list ever showed it. */
  deleteConfirmed: z.boolean().optional(),
});
export type PendingDelete = z.infer<typeof pendingDeleteSchema>;

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
  /** The wanted image and template that failed: another one is tried at once. */
  wanted: z.string(),
});
export type Backoff = z.infer<typeof backoff>;

export const stateSchema = z.object({
  schema: z.literal(CURRENT_SCHEMA),
  label: z.string(),
  generation: z.int().min(0),
  tracks: z.record(z.string(), track),
  intent: intentSchema.nullable(),
  pendingDeletes: z.array(pendingDeleteSchema),
  /** Starts of creates that succeeded or may have, within the last hour. */
  creates: z.array(instantSchema),
  /** Machines that failed here, until when they are avoided. */
  avoided: z.array(z.object({ machineId: z.number(), until: instantSchema })),
  /** Bans that Redis has not taken yet: they hold here, and are written once it does. */
  unwrittenBans: z
    .array(z.object({ kind: z.enum(["host", "machine"]), id: z.number(), reason: z.string(), instanceId: z.int() }))
    .default([]),
  /** Offers that were found taken, until when they are passed over. */
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
  /** The last replacement for a difference between wanted and reported, until a row agrees. */
  converging: z.object({ wanted: z.string(), reported: z.string() }).nullable(),
  /** Instances in a row whose app never listened, per wanted image and template. */
  notListening: z.object({ wanted: z.string(), count: z.int() }).nullable(),
  /** Instances in a row that could not use the image or its disk, per wanted image and template. */
  brokenImages: z.object({ wanted: z.string(), count: z.int() }).nullable().default(null),
  /** The host of the last instance that was replaced as unreachable. */
  unreachableHost: z.number().nullable(),
  /** Whether an empty list may be believed at once: a complete list was seen before. */
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
      seenAt: instantSchema,
    })
    .nullable(),
  listUnknownSince: instantSchema.nullable(),
  bansUnknownSince: instantSchema.nullable(),
  /** Under which the lease in Redis is taken: the same program again is the same owner. */
  leaseToken: z.string().nullable().default(null),
});
export type State = z.infer<typeof stateSchema>;

/** What a provisioner that never ran here remembers. */
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
    notListening: null,
    brokenImages: null,
    unreachableHost: null,
    confirmedNone: false,
    firstNoneAt: null,
    template: null,
    listUnknownSince: null,
    bansUnknownSince: null,
    leaseToken: null,
  };
}
