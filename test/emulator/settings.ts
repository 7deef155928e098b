// The emulator's settings: which documented or reported behaviours it shows. Pure.
import { z } from "zod";

const seconds = z.number().min(0).max(1e9);

/** How an image behaves when it is pulled and started; unknown images get a size from their name and no failure. */
const imageSchema = z.object({
  sizeGb: z.number().positive().max(500).optional(),
  /** Ports that the image exposes (published too), like `8000/tcp`. */
  exposes: z.array(z.string().regex(/^\d{1,5}\/(tcp|udp)$/)).optional(),
  /** The daemon's message with which every pull fails. */
  failure: z.string().optional(),
  /** The daemon's message with which every container exits right after its start. */
  crash: z.string().optional(),
  /** The name that the row reports once the container has run, like the same image with its digest. */
  runningAs: z.string().optional(),
});
export type ImageRule = z.infer<typeof imageSchema>;

export const settingsSchema = z.strictObject({
  /** Time from create to running; null: modelled from the image's size and the machine's bandwidth. */
  bootSeconds: seconds.nullable(),
  /** Time from running until `ports` and the address show; null: modelled, or 0 when `bootSeconds` is fixed. */
  portLagSeconds: seconds.nullable(),
  /** Time from running until something listens. */
  appSeconds: seconds,
  /** How long a destroyed row is still listed. */
  destroyLagSeconds: seconds,
  /** How long a created row is not yet listed. */
  visibilityLagSeconds: seconds,
  /** Time until a requested log can be fetched. */
  logSeconds: seconds,
  /** `on` counts the caller's seconds, `scaled` the emulator's, which differ by the time scale. */
  rateLimits: z.enum(["off", "on", "scaled"]),
  /** Callers from different addresses share the rate limits, as behind one NAT. */
  sharedAddress: z.boolean(),
  rateLimitBody: z.enum(["plain", "product", "detail", "main", "retry-after"]),
  v0List: z.enum(["410", "200-deprecated-body", "legacy-array"]),
  showMissing: z.enum(["null", "404"]),
  badKeyStatus: z.union([z.literal(404), z.literal(401)]),
  /** `no-ask`: 404 with the slug `no_such_ask` and another text. */
  takenOfferStatus: z.union([z.literal(400), z.literal(404), z.literal(410), z.literal("no-ask")]),
  /** The slug of a create that is refused because the account lacks credit. */
  noCreditSlug: z.enum(["insufficient_credit", "invalid_args"]),
  /** A search that finds no template: an empty list, or `success: false`. */
  noTemplates: z.enum(["empty-list", "success-false"]),
  /** A new template whose content the account has already: the existing one as a success, or a refusal. */
  equalTemplate: z.enum(["returned", "refused"]),
  /** An edit of a template that others can use: the same id, or a new template beside the original one. */
  sharedTemplateEdit: z.enum(["same-id", "new-id"]),
  /** Status of the refusal to reboot or recycle an instance that does not run. */
  notRunningStatus: z.union([z.literal(400), z.literal(200)]),
  /** Whether the answer to a start that is queued has a slug. */
  queuedStart: z.enum(["text", "slug"]),
  /** What becomes of the login, the disk and `recycle` in a call of `update_template`. */
  templateUpdateExtras: z.enum(["applied", "ignored", "refused"]),
  /** Whether `update_template` may have the instance's id in its body too. */
  idInBody: z.enum(["accepted", "refused"]),
  /** Status of the refusal to accept or reject a price increase that is not pending. */
  stalePriceIncreaseStatus: z.union([z.literal(404), z.literal(409)]),
  /** How many rows a list without `limit` has. */
  omittedLimit: z.union([z.literal(25), z.literal(5)]),
  /** A bid below the machine's minimum: a stopped contract with `success:false` or with `success:true`, or a refusal. */
  lowBid: z.enum(["stopped-contract", "accepted-stopped", "no_such_ask"]),
  /** Probability that another customer bids more between search and create. */
  outbidAtCreateProbability: z.number().min(0).max(1),
  /** What happens to an `env` that is sent as a string of docker flags. */
  stringEnv: z.enum(["ignored", "parsed"]),
  /** A create with the hash of an earlier revision of a template. */
  staleTemplateHash: z.enum(["refused", "works"]),
  outbidIntendedStatus: z.enum(["stopped", "running"]),
  missingInstance: z.enum(["no_such_instance", "not_found"]),
  /** Probability that another customer rents an offer between search and create. */
  offerGoneProbability: z.number().min(0).max(1),
  /** An image that is pulled costs its size times the machine's price of downloads. */
  billDownloads: z.boolean(),
  /** Address of every instance; null means that each machine has its own. */
  advertise: z.string().min(1).nullable(),
  /** `public_ipaddr` ends in a newline, as the real one often does. */
  trailingNewline: z.boolean(),
  /** Whether `ports` repeats each entry for IPv6; `some`: on every other machine. */
  ipv6Twin: z.enum(["some", "always", "never"]),
  images: z.record(z.string(), imageSchema),
});
export type Settings = z.infer<typeof settingsSchema>;

export const DEFAULT_SETTINGS: Settings = {
  bootSeconds: null,
  portLagSeconds: null,
  appSeconds: 0,
  destroyLagSeconds: 0,
  visibilityLagSeconds: 0,
  logSeconds: 5, // the vendor's client polls for about 9 s; 30-60 s have been observed
  rateLimits: "off",
  sharedAddress: false,
  rateLimitBody: "product",
  v0List: "410",
  showMissing: "null",
  badKeyStatus: 404,
  takenOfferStatus: 400,
  noCreditSlug: "insufficient_credit",
  noTemplates: "empty-list",
  equalTemplate: "returned",
  sharedTemplateEdit: "same-id",
  notRunningStatus: 400,
  queuedStart: "text",
  templateUpdateExtras: "applied",
  idInBody: "accepted",
  stalePriceIncreaseStatus: 404,
  omittedLimit: 25,
  lowBid: "stopped-contract",
  outbidAtCreateProbability: 0,
  stringEnv: "ignored",
  staleTemplateHash: "refused",
  outbidIntendedStatus: "stopped",
  missingInstance: "no_such_instance",
  offerGoneProbability: 0,
  billDownloads: false,
  advertise: null,
  trailingNewline: true,
  ipv6Twin: "some",
  images: {},
};
