// The only error of calls to the Vast.ai API: classified, and without secrets, so that it is safe to log. Pure.

/**
 * - `auth`, `two_factor`, `no_credit`, `spend_limit`: a problem of the account, not of a host
 * - `offer_gone`: the offer was rented by another user, or this account may not rent it
 * - `not_found`: the object does not exist (not used for a refused key, which the API also answers with 404)
 * - `rate_limited`: called too often; nothing was done
 * - `invalid`: the API refused the request itself
 * - `unavailable`: no answer, or an answer of a gateway; it is unknown what the API did
 * - `not_sent`: the time in which it could be sent was over, because of a pause of the process or a slow network: nothing was sent
 * - `malformed`: an answer that is not what the API promises; it is unknown what the API did
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
  | "not_sent"
  | "malformed";

export interface VastErrorFields {
  kind: VastErrorKind;
  /** Method and path, without the query. */
  call: string;
  /** HTTP status, or null without an answer. */
  status: number | null;
  slug: string;
  text: string;
  /** How long the API asks to wait, if it does. */
  retryAfterMs?: number;
  /** The endpoint's interval, if a 429 contains it. */
  thresholdMs?: number;
  /** The contract id in the answer to a failed create: the contract is ours and may be billed. */
  contract?: number;
  /** False when the request certainly did not reach the API. */
  reached?: boolean;
}

const RETRYABLE: ReadonlySet<VastErrorKind> = new Set(["rate_limited", "unavailable", "malformed"]);

// Long enough for the API's own sentences, short enough to keep HTML pages out of the log.
const MAX_TEXT_LENGTH = 300;

/** Holds no header, no query string and no request body, so nothing in it must be redacted. */
export class VastError extends Error {
  override readonly name = "VastError";
  readonly kind: VastErrorKind;
  readonly status: number | null;
  readonly slug: string;
  readonly retryAfterMs: number | null;
  readonly thresholdMs: number | null;
  readonly contract: number | null;
  readonly reached: boolean;
  /** The same call may succeed later without any change. */
  readonly retryable: boolean;

  constructor(fields: VastErrorFields) {
    const answer = fields.status === null ? "no answer" : `HTTP ${fields.status}`;
    const text = fields.text.replace(/\s+/g, " ").trim().slice(0, MAX_TEXT_LENGTH);
    super(`${fields.call}: ${answer}${fields.slug ? `, ${fields.slug}` : ""}${text ? `: ${text}` : ""}`);
    this.kind = fields.kind;
    this.status = fields.status;
    this.slug = fields.slug;
    this.retryAfterMs = fields.retryAfterMs ?? null;
    this.thresholdMs = fields.thresholdMs ?? null;
    this.contract = fields.contract ?? null;
    this.reached = fields.reached ?? true;
    this.retryable = RETRYABLE.has(fields.kind);
  }
}

export type AccountTrouble = "auth" | "two_factor" | "no_credit" | "spend_limit";

/** The account problem behind an error, or null. */
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

/** True when a create or destroy that failed with this error may have taken effect; always true for other errors than `VastError`. */
export function isOutcomeUnknown(error: unknown): boolean {
  if (!(error instanceof VastError)) return true;
  return (error.kind === "unavailable" || error.kind === "malformed") && error.reached;
}

/** True when a destroy that failed with this error certainly took no effect: the instance lives on. */
export function isDestroyRefused(error: VastError): boolean {
  return !isOutcomeUnknown(error) && error.kind !== "not_found";
}

/** Returns a `VastError`; rethrows everything else, which is an internal error. */
export function asVastError(error: unknown): VastError {
  if (error instanceof VastError) return error;
  throw error;
}
