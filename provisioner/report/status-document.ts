// The form of the document of `/status`: the command line, the page and the metrics read only this. Pure.
import * as z from "zod";

/** Grows when a field changes its meaning or goes away. New fields do not change it. */
export const STATUS_SCHEMA = 1;

const instant = z.string(); // ISO 8601, UTC

/** What is waited for, and what happens then. */
const next = z.object({
  /** One sentence: "the instance 7835610 to become ready". */
  waitsFor: z.string(),
  /** When the pod looks again. */
  lookAt: instant.nullable(),
  /** Until when this is waited for; null: without a limit. */
  deadline: instant.nullable(),
  /** One sentence: what happens at the deadline, or when what is waited for has come. */
  afterwards: z.string().nullable(),
});

const instance = z.object({
  id: z.int(),
  description: z.string(),
  /** The pod's instance; false for a duplicate or one that is being destroyed. */
  current: z.boolean(),
  gpu: z.string(),
  /** The API's word: loading, running. */
  status: z.string().nullable(),
  /** The host's own words, hostile text of a stranger: "pulling 3.1 of 9.8 GB". */
  statusMessage: z.string(),
  hostId: z.number().nullable(),
  machineId: z.number().nullable(),
  image: z.string(),
  templateHash: z.string().nullable(),
  dollarsPerHour: z.number().nullable(),
  createdAt: instant.nullable(),
  /** When the contract ends. */
  endsAt: instant.nullable(),
  /** The host's announced price. */
  pendingPrice: z.object({ dollarsPerHour: z.number(), at: instant.nullable() }).nullable(),
  pendingDelete: z.boolean(),
  serving: z.boolean().optional(),
  endpoint: z.object({ host: z.string(), port: z.int() }).nullable().optional(),
  waitingSeconds: z.number().nullable().optional(),
  runningSeconds: z.number().nullable().optional(),
  notServingSeconds: z.number().nullable().optional(),
});

/** Dollars. Estimates: price x time as listed, without traffic and storage of other contracts. */
const money = z.object({
  /** Of all listed instances of the pod; null: unknown. */
  dollarsPerHour: z.number().nullable(),
  maxDollarsPerHour: z.number().nullable(),
  /** Paid since `since`, failed instances included. */
  paidDollars: z.number(),
  /** The part of it that was paid while no server was published. */
  wastedDollars: z.number(),
  /** Paid for the pod's present instance; null: there is none. */
  instanceDollars: z.number().nullable(),
  since: instant.nullable(),
  /** What was really billed for this pod's instances, traffic included, where the key may read it. */
  billed: z.object({ dollars: z.number(), since: instant, at: instant }).nullable(),
  /** The account's; null: unknown. */
  creditDollars: z.number().nullable(),
  creditAt: instant.nullable(),
});

const transition = z.object({
  at: instant,
  state: z.string(),
  reason: z.string(),
  message: z.string(),
  instanceId: z.int().nullable(),
});

export const statusDocumentSchema = z.object({
  schema: z.literal(STATUS_SCHEMA),
  version: z.string(),
  at: instant,
  startedAt: instant,
  pod: z.string(),
  label: z.string(),
  policy: z.string(),
  desired: z.object({ image: z.string(), template: z.string() }),
  /** The state in the upstream file: provisioning, ready, unavailable, blocked. */
  state: z.string().nullable(),
  reason: z.string().nullable(),
  message: z.string().nullable(),
  /** Since when state and reason are these. */
  since: instant.nullable(),
  generation: z.number().nullable(),
  server: z.object({ host: z.string(), port: z.int() }).loose().nullable(),
  /** What nginx serves, as the reloader says; null: the reloader does not answer. */
  proxy: z
    .object({ appliedGeneration: z.number().nullable(), state: z.string().nullable(), problem: z.string().nullable() })
    .nullable(),
  problem: z.string().nullable(),
  suppressed: z.array(z.unknown()),
  next: next.nullable(),
  instances: z.array(instance),
  list: z.object({ known: z.boolean(), at: instant, ageSeconds: z.number(), why: z.string().optional() }).nullable(),
  bansKnown: z.boolean().nullable(),
  pendingDeletes: z.array(
    z.object({ id: z.int(), reason: z.string(), since: instant, deleteSentAt: instant.nullable() }),
  ),
  /** The open create; `contract` is the id of its instance, null while its outcome is unknown. */
  intent: z
    .object({
      offerId: z.int(),
      startedAt: instant,
      contract: z.int().nullable(),
      dollarsPerHour: z.number().nullable(),
    })
    .loose()
    .nullable(),
  /** Creates of the last hour against the limit, and when the next place is free. */
  budget: z.object({ createsLeft: z.int(), createsPerHour: z.int(), freeAt: instant.nullable() }),
  money,
  /** Why the next create waits, and until when. */
  backoff: z.object({ reason: z.string(), message: z.string(), failures: z.int(), until: instant }).loose().nullable(),
  /** The newest last. */
  history: z.array(transition),
  passes: z.int(),
  finishedAt: instant.nullable(),
});

export type StatusDocument = z.infer<typeof statusDocumentSchema>;
