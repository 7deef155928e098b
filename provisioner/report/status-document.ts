// The form of the document of `/status`: the command line and the page read only this. The documents show the descriptions. Pure.
import * as z from "zod";

/** Grows when a field changes its meaning or goes away. New fields do not change it. */
export const STATUS_SCHEMA = 1;

const instant = z.string(); // ISO 8601, UTC
const dollars = z.number();
const seconds = z.number().nullable().optional();

const next = z.object({
  waitsFor: z.string().describe("what is waited for, in words: `instance 7835610 to become ready`"),
  lookAt: instant.nullable().describe("when the pod looks again"),
  deadline: instant.nullable().describe("until when this is waited for; null: without a limit"),
  afterwards: z
    .string()
    .nullable()
    .describe("what happens at the deadline if nothing else changes; without one, when what is waited for has come"),
});

const instance = z.object({
  id: z.int().describe("the id of the contract"),
  description: z.string().describe("its id, GPU and price in words"),
  current: z
    .boolean()
    .describe("whether it is the pod's instance; false for a duplicate or one that is being destroyed"),
  gpu: z.string().describe("its GPUs: 1x RTX 4090"),
  status: z.string().nullable().describe("the API's word: loading, running"),
  statusMessage: z.string().describe("the host's own words on one line: `pulling 3.1 of 9.8 GB`. A stranger's text"),
  hostId: z.number().nullable().describe("the owner's account"),
  machineId: z.number().nullable().describe("the machine"),
  image: z.string().describe("the image that it runs"),
  templateHash: z.string().nullable().describe("the version of the template that it was created from"),
  dollarsPerHour: dollars.nullable().describe("its price as listed"),
  interruptible: z.boolean().optional().describe("whether it was rented with a bid: a higher one stops it"),
  createdAt: instant.nullable().describe("when it was created"),
  endsAt: instant.nullable().describe("when its contract ends"),
  pendingPrice: z
    .object({ dollarsPerHour: dollars, at: instant.nullable() })
    .nullable()
    .describe("another price that its host has announced"),
  pendingDelete: z.boolean().describe("whether it is being destroyed"),
  serving: z.boolean().optional().describe("whether its probe passes"),
  endpoint: z.object({ host: z.string(), port: z.int() }).nullable().optional().describe("where it is probed"),
  waitingSeconds: seconds.describe("for how long it has been waited for; null once it was ready"),
  runningSeconds: seconds.describe("for how long its container runs"),
  notServingSeconds: seconds.describe("for how long its probe has not passed"),
});

const money = z.object({
  dollarsPerHour: dollars.nullable().describe("of all listed instances of the pod"),
  maxDollarsPerHour: dollars.nullable().describe("VAST_MAX_DPH"),
  paidDollars: dollars.describe("estimate of what was paid since `since`, failed instances included"),
  wastedDollars: dollars.describe("the part of it that was paid while no server was published"),
  instanceDollars: dollars.nullable().describe("estimate for the present instance; null: there is none"),
  since: instant.nullable().describe("since when this is counted"),
  billed: z
    .object({ dollars: dollars, since: instant, at: instant })
    .nullable()
    .describe("what was really billed for this pod's instances, traffic included, where the key may read it"),
  creditDollars: dollars.nullable().describe("the account's credit"),
  creditAt: instant.nullable().describe("when that was read"),
});

const transition = z.object({
  at: instant.describe("when it began"),
  state: z.string().describe("the state"),
  reason: z.string().describe("the reason"),
  message: z.string().describe("the message at that time"),
  instanceId: z.int().nullable().describe("the pod's instance"),
});

export const statusDocumentSchema = z.object({
  schema: z.literal(STATUS_SCHEMA).describe("version of this document; new fields do not change it"),
  version: z.string().describe("version of the program"),
  at: instant.describe("when this document was made"),
  startedAt: instant.describe("when the program started"),
  pod: z.string().describe("POD_NAME"),
  label: z.string().describe("the label of its instance"),
  policy: z.string().describe("VAST_POLICY"),
  desired: z.object({ image: z.string(), template: z.string() }).describe("what is wanted"),
  state: z
    .string()
    .nullable()
    .describe("what clients get: `ready`, `provisioning`, `unavailable` or `blocked`; null before the first pass"),
  reason: z.string().nullable().describe("why, in one word (see the reasons)"),
  message: z.string().nullable().describe("why, in a sentence, and what to do"),
  remedy: z.string().nullable().describe("what a person can do about the reason; null: nothing has to be done"),
  since: instant.nullable().describe("since when state and reason are what they are"),
  generation: z.number().nullable().describe("the counter in `upstream.json`"),
  server: z
    .object({ host: z.string(), port: z.int() })
    .loose()
    .nullable()
    .describe("the server in `upstream.json`; null: none"),
  proxy: z
    .object({ appliedGeneration: z.number().nullable(), state: z.string().nullable(), problem: z.string().nullable() })
    .nullable()
    .describe("what nginx serves, as the reloader says; null: the reloader does not answer"),
  problem: z
    .string()
    .nullable()
    .describe("why nothing is created or destroyed: the state file or `upstream.json` cannot be written"),
  suppressed: z.array(z.unknown()).describe("actions that VAST_POLICY does not allow"),
  wouldRent: z
    .object({
      at: instant.describe("when the offers were searched"),
      offer: z
        .object({
          id: z.int(),
          hostId: z.number().nullable(),
          machineId: z.number().nullable(),
          gpu: z.string(),
          dollarsPerHour: dollars.nullable(),
        })
        .nullable()
        .describe("the offer that would be taken; null: none can be taken, or it is unknown"),
      message: z.string().describe("which offer and why this one, or why none"),
    })
    .nullable()
    .default(null)
    .describe("what would be rented if VAST_POLICY=observe allowed it; null: nothing"),
  next: next.nullable().describe("what comes next; null before the first pass"),
  instances: z.array(instance).describe("each listed instance; empty while the list is unknown"),
  list: z
    .object({ known: z.boolean(), at: instant, ageSeconds: z.number(), why: z.string().optional() })
    .nullable()
    .describe("whether the instance list is known, when it was read, and why it is unknown"),
  bansKnown: z.boolean().nullable().describe("whether the bans are known"),
  bans: z
    .array(z.object({ kind: z.string(), id: z.number(), reason: z.string(), written: z.boolean() }))
    .nullable()
    .default(null)
    .describe("banned hosts and machines; `written`: in Redis, otherwise of this pod alone; null: unknown"),
  pendingDeletes: z
    .array(z.object({ id: z.int(), reason: z.string(), since: instant, deleteSentAt: instant.nullable() }))
    .describe("instances that are being destroyed; `deleteSentAt` is the last attempt"),
  intent: z
    .object({
      offerId: z.int(),
      startedAt: instant,
      contract: z.int().nullable(),
      dollarsPerHour: z.number().nullable(),
    })
    .loose()
    .nullable()
    .describe("the open create; `contract` is the id of its instance, null while its outcome is unknown"),
  budget: z
    .object({ createsLeft: z.int(), createsPerHour: z.int(), freeAt: instant.nullable() })
    .describe("creates that VAST_MAX_CREATES_PER_HOUR still allows; `freeAt`: when one more is possible"),
  fallback: z
    .object({ since: instant, lookAt: instant, failedReturns: z.int() })
    .nullable()
    .default(null)
    .describe(
      "on demand because bids had failed; `lookAt`: from when a bid is looked for (with surge); null: it is not",
    ),
  money: money.describe("dollars. Estimates are price x time as listed, without traffic; null: unknown"),
  backoff: z
    .object({ reason: z.string(), message: z.string(), failures: z.int(), until: instant })
    .loose()
    .nullable()
    .describe("why the next create waits, and until when"),
  history: z
    .array(transition)
    .describe("the last 50 changes of state, reason or instance, the newest last; kept over restarts"),
  passes: z.int().describe("finished passes of the loop"),
  finishedAt: instant.nullable().describe("when the last one ended"),
});

export type StatusDocument = z.infer<typeof statusDocumentSchema>;
