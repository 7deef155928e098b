// Sends one HTTP call to the API and turns every failure into a VastError: the HTTP client's own errors hold the key in their
// headers and never leave this file. Touches the network.
import { type Clock, withDeadline } from "../../common/clock.ts";
import { codeOf } from "../../common/errors.ts";
import { createTextClient, FENCED, type Fence, type HttpAdapter } from "../../common/http.ts";
import { scrub } from "../../common/logging.ts";
import { type HttpAnswer, readAnswer } from "./answer.ts";
import { VastError, type VastErrorFields, type VastErrorKind } from "./errors.ts";
import type { Pacing, Precedence } from "./pacing.ts";

export interface ApiCall {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** With a trailing slash, as the API wants it. */
  path: string;
  query?: Record<string, unknown>;
  body?: unknown;
  /** Name of the rate limit that the call falls under. */
  endpoint: string;
  deadlineMs?: number;
  /** False: a read that is refused by the rate limit is not repeated, because the caller comes back soon anyway. */
  retryRateLimited?: boolean;
  /** It reads for all pods of the account: their own calls wait. */
  forAll?: boolean;
  /** Aborting it cancels the call while it waits for its rate limit, and has no effect once the call is sent. */
  beforeSent?: AbortSignal;
  /** Of a call that changes something: asked when it has waited for its rate limit, and again when it is written. */
  fence?: Fence;
  /** Called when the call has waited for its rate limit, also for a retry. */
  onSent?: () => void;
}

export type Send = (call: ApiCall, signal?: AbortSignal) => Promise<Record<string, unknown>>;

/** One call that was sent. `ms` is the time to its answer, without the wait for its rate limit. */
export interface CallInfo {
  endpoint: string;
  outcome: "ok" | VastErrorKind;
  ms: number;
}

/** How a call leaves the process. */
interface Departure {
  /** Epoch ms. */
  at: number;
  /** Once true, the API may have done something. */
  hasLeft: boolean;
  /** Awaited when the connection is open; answers whether the call may be written. */
  lastWait: ((deadline: AbortSignal) => Promise<boolean>) | null;
}

export interface TransportOptions {
  baseUrl: string;
  /** Read for each call, because the key may come from a file that is rotated. */
  apiKey: () => string;
  clock: Clock;
  pacing: Pacing;
  /** Texts that the API may quote in an error and that must not be logged. */
  secrets?: () => readonly string[];
  /** Called when the API refuses the key: the file may already hold a new one. */
  onAuthError?: () => void;
  /** Called for each call that was sent, and for each retry of a read. */
  onCall?: (info: CallInfo) => void;
  /** Replaces the network in simulations. */
  adapter?: HttpAdapter;
}

// The vendor's own client waits 120 s. A pass must end before the liveness probe fails, and lists answer within a second or two.
const CALL_DEADLINE_MS = 20_000;
// A page of 25 instances or 64 offers is about 200 kB. An endless body must not fill the memory.
const MAX_BODY_BYTES = 8 * 1024 * 1024;
// A rate-limited read only means that another pod with the same key was faster: it is repeated when its bucket is available.
// Without retries, pods of one account switched between known and unknown lists all day.
const READ_TRIES = 4;
// A pass waits at most this long for the rate limit of a read or for a retry, because the probe of the served instance is part of it.
export const READ_WAIT_MS = 10_000;
// Codes of failures before there was a connection: the API cannot have done anything.
const NOT_SENT = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);
// Codes of a certificate that Node does not accept, like DEPTH_ZERO_SELF_SIGNED_CERT.
const UNTRUSTED = /CERT|UNABLE_TO_/;

/** Sends calls. Resolves with the body of a success and throws `VastError` for everything else. */
export function createTransport(options: TransportOptions): Send {
  const request = createTextClient({
    baseURL: options.baseUrl.replace(/\/+$/, ""),
    maxContentLength: MAX_BODY_BYTES,
    headers: { Accept: "application/json", "Content-Type": "application/json", "User-Agent": "vast-pod" },
    ...(options.adapter ? { adapter: options.adapter } : {}),
  });
  const send = async (call: ApiCall, departure: Departure, signal?: AbortSignal): Promise<HttpAnswer> => {
    const params: Record<string, string> = {};
    for (const [name, value] of Object.entries(call.query ?? {})) {
      params[name] = typeof value === "string" ? value : JSON.stringify(value);
    }
    // The client's own timeout does not stop a body that arrives slowly: the signal does.
    return withDeadline(options.clock, call.deadlineMs ?? CALL_DEADLINE_MS, signal, async (deadline) => {
      try {
        const sent = {
          method: call.method,
          url: call.path,
          params,
          headers: { Authorization: `Bearer ${options.apiKey()}` },
          signal: deadline,
          ...(call.body === undefined ? {} : { data: JSON.stringify(call.body) }),
        };
        const { lastWait } = departure;
        const response = await request(sent, lastWait === null ? undefined : () => lastWait(deadline));
        const retryAfterMs = retryAfterIn(response.headers["retry-after"], options.clock.now());
        const text = typeof response.data === "string" ? response.data : "";
        return { status: response.status, text, ...(retryAfterMs === null ? {} : { retryAfterMs }) };
      } catch (error) {
        if (codeOf(error) === FENCED) throw call.beforeSent?.aborted ? cancelled(call) : tooLate(call);
        throw networkError(describe(call), error, deadline, departure.hasLeft);
      }
    });
  };
  /** A call that changes something takes its turn when its connection is open, and leaves at once. Other calls have no last wait. */
  const departureOf = (call: ApiCall): Departure => {
    const { fence, beforeSent, endpoint } = call;
    if (fence === undefined) return { at: options.clock.now(), hasLeft: true, lastWait: null };
    const departure: Departure = {
      at: options.clock.now(),
      hasLeft: false,
      async lastWait(deadline) {
        const cancels = beforeSent === undefined ? deadline : AbortSignal.any([deadline, beforeSent]);
        await options.pacing.takeTurn(endpoint, cancels);
        if (cancels.aborted || !fence()) return false;
        options.pacing.left(endpoint);
        Object.assign(departure, { at: options.clock.now(), hasLeft: true });
        return true;
      },
    };
    return departure;
  };
  const sendOnce: Send = async (call, signal) => {
    const waitMs = options.pacing.availableAt(call.endpoint) - options.clock.now();
    if (isRead(call) && waitMs > READ_WAIT_MS) throw notYet(call, waitMs, "the API asked for a longer wait");
    const cancels = [signal, call.beforeSent].filter((one) => one !== undefined);
    // Combined only when there are two, in a create: a long-lived signal keeps a reference to each signal that is derived from it.
    const cancel = cancels.length > 1 ? AbortSignal.any(cancels) : cancels[0];
    const leftMs = await options.pacing.acquire(call.endpoint, cancel, precedenceOf(call));
    if (cancels.some((one) => one.aborted)) throw cancelled(call);
    if (leftMs > 0) throw notYet(call, leftMs, "other pods with the same key are to call before");
    if (call.fence?.() === false) throw tooLate(call);
    call.onSent?.();
    const departure = departureOf(call);
    const report = (outcome: CallInfo["outcome"]) =>
      options.onCall?.({ endpoint: call.endpoint, outcome, ms: options.clock.now() - departure.at });
    try {
      const answer = await send(call, departure, signal);
      const body = readAnswer(describe(call), answer, (text) => scrub(text, options.secrets?.() ?? [options.apiKey()]));
      report("ok");
      options.pacing.succeeded(call.endpoint);
      return body;
    } catch (error) {
      if (!(error instanceof VastError) || error.kind === "not_sent") throw error;
      report(error.kind);
      options.pacing.failed(call.endpoint, error);
      if (error.kind === "auth") options.onAuthError?.();
      throw error;
    }
  };
  return async (call, signal) => {
    const until = options.clock.now() + READ_WAIT_MS;
    for (let tries = 1; ; tries += 1) {
      try {
        return await sendOnce(call, signal);
      } catch (error) {
        const refused = error instanceof VastError && error.kind === "rate_limited";
        const retry =
          refused && isRead(call) && call.retryRateLimited !== false && tries < READ_TRIES && !signal?.aborted;
        if (!retry || options.clock.now() + (error.retryAfterMs ?? 0) > until) throw error;
      }
    }
  };
}

/** Ms of a `Retry-After` header, which holds seconds or a date; null when it holds neither. */
function retryAfterIn(header: unknown, now: number): number | null {
  if (typeof header !== "string") return null;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isFinite(ms) && ms > 0 ? ms : null;
}

/** A search is a POST, but changes nothing. */
function isRead(call: ApiCall): boolean {
  return call.method === "GET" || call.method === "POST";
}

function precedenceOf({ forAll, retryRateLimited }: ApiCall): Precedence {
  if (forAll === true) return "for_all";
  return retryRateLimited === false ? "soon_again" : "needed";
}

function describe(call: ApiCall): string {
  return `${call.method} ${call.path}`;
}

function notSent(call: ApiCall, fields: Pick<VastErrorFields, "kind" | "slug" | "text" | "retryAfterMs">): VastError {
  return new VastError({ ...fields, call: describe(call), status: null, reached: false });
}

function notYet(call: ApiCall, retryAfterMs: number, why: string): VastError {
  return notSent(call, { kind: "rate_limited", slug: "", text: `not sent: ${why}`, retryAfterMs });
}

function cancelled(call: ApiCall): VastError {
  return notSent(call, { kind: "unavailable", slug: "aborted", text: "cancelled before it was sent" });
}

function tooLate(call: ApiCall): VastError {
  const text =
    "not sent: too much time has passed since it was decided, because the program was paused or the network is slow";
  return notSent(call, { kind: "not_sent", slug: "", text });
}

/** Keeps only the code of a failure: the client's error holds the request with its headers. */
function networkError(call: string, error: unknown, deadline: AbortSignal, hasLeft: boolean): VastError {
  const code = codeOf(error) ?? "";
  if (deadline.aborted) {
    const why = deadline.reason instanceof Error ? deadline.reason.message : "cancelled";
    const text = hasLeft ? why : "cancelled before it was sent: there was no connection and no turn for it in time";
    return new VastError({ kind: "unavailable", call, status: null, slug: "timeout", text, reached: hasLeft });
  }
  if (code === "ERR_BAD_RESPONSE") {
    return new VastError({
      kind: "malformed",
      call,
      status: null,
      slug: code,
      text: "the answer is too large or damaged",
    });
  }
  const untrusted = UNTRUSTED.test(code);
  return new VastError({
    kind: "unavailable",
    call,
    status: null,
    slug: code,
    text: untrusted
      ? "the certificate is not trusted: set NODE_EXTRA_CA_CERTS to a file with its certificate authority"
      : "the connection failed",
    reached: hasLeft && !untrusted && !NOT_SENT.has(code),
  });
}
