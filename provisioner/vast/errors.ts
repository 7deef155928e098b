// What can go wrong with a call to the Vast.ai API, as one error that is safe to log from birth. Pure.

/**
 * - `auth`, `two_factor`, `no_credit`, `spend_limit`: trouble with the account, no host's fault
 * - `offer_gone`: somebody else rented it, or this account may not
 * - `not_found`: the thing does not exist (never used for a refused key, which the API answers with 404 as well)
 * - `rate_limited`: called too often; nothing was done
 * - `invalid`: the API refused the request as such
 * - `unavailable`: no answer, or a gateway's; what it did is unknown
 * - `malformed`: an answer that is not what the API promises; what it did is unknown
 */
export type VastErrorKind =
  | "auth"
  | "two_factor"
  | "no_credit"
  | "spend_limit"
  | "offer_gone"
  | "not_found"
  | "rate_limited"
  | "invalid"
  | "unavailable"
  | "malformed";

export interface VastErrorFields {
  kind: VastErrorKind;
  /** Method and path, without the query. */
  call: string;
  /** HTTP status, or null when there was no answer. */
  status: number | null;
  slug: string;
  text: string;
  /** How long the API asks to wait, if it says so. */
  retryAfterMs?: number;
  /** The endpoint's interval, where a 429 names it. */
  thresholdMs?: number;
  /** The contract that a failed create names all the same: it is ours and may cost money. */
  contract?: number;
  /** False when the request certainly never reached the API. */
  reached?: boolean;
}

const RETRYABLE: ReadonlySet<VastErrorKind> = new Set(["rate_limited", "unavailable", "malformed"]);

// Long enough for the API's own sentences, short enough that no HTML page fills the log.
const LONGEST_TEXT = 300;

/** Carries no header, no query string, no request body: nothing of it needs redaction. */
export class VastError extends Error {
  override readonly name = "VastError";
  readonly kind: VastErrorKind;
  readonly status: number | null;
  readonly slug: string;
  readonly retryAfterMs: number | null;
  readonly thresholdMs: number | null;
  readonly contract: number | null;
  readonly reached: boolean;
  /** The same call may succeed later without anybody having changed anything. */
  readonly retryable: boolean;

  constructor(facts: VastErrorFields) {
    const answer = facts.status === null ? "no answer" : `HTTP ${facts.status}`;
    const text = facts.text.replace(/\s+/g, " ").trim().slice(0, LONGEST_TEXT);
    super(`${facts.call}: ${answer}${facts.slug ? `, ${facts.slug}` : ""}${text ? `: ${text}` : ""}`);
    this.kind = facts.kind;
    this.status = facts.status;
    this.slug = facts.slug;
    this.retryAfterMs = facts.retryAfterMs ?? null;
    this.thresholdMs = facts.thresholdMs ?? null;
    this.contract = facts.contract ?? null;
    this.reached = facts.reached ?? true;
    this.retryable = RETRYABLE.has(facts.kind);
  }
}

export type AccountTrouble = "auth" | "two_factor" | "no_credit" | "spend_limit";

/** The account's trouble that an error tells of, or null. */
export function accountTrouble(error: unknown): AccountTrouble | null {
  if (!(error instanceof VastError)) return null;
  switch (error.kind) {
    case "auth":
    case "two_factor":
    case "no_credit":
    case "spend_limit":
      return error.kind;
    default:
      return null;
  }
}

export function isOfferGone(error: unknown): boolean {
  return error instanceof VastError && error.kind === "offer_gone";
}

/** True when a create or destroy that ended with this error may have taken effect. Anything that is not typed may have. */
export function isOutcomeUnknown(error: unknown): boolean {
  if (!(error instanceof VastError)) return true;
  return (error.kind === "unavailable" || error.kind === "malformed") && error.reached;
}

/** Turns a thrown value into a `VastError`; what is no such error is a defect and is thrown on. */
export function asVastError(error: unknown): VastError {
  if (error instanceof VastError) return error;
  throw error;
}
