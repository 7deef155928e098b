// One HTTP call to the API: the only place that knows axios. Its errors never leave: they carry the key in their headers.
import { type Clock, withDeadline } from "../../common/clock.ts";
import { codeOf } from "../../common/errors.ts";
import { createHttpClient, type HttpAdapter } from "../../common/http.ts";
import { scrub } from "../../common/logging.ts";
import { type HttpAnswer, readAnswer } from "./answer.ts";
import { VastError, type VastErrorFields, type VastErrorKind } from "./errors.ts";
import type { Pacing } from "./pacing.ts";

export interface ApiCall {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** With a trailing slash, as the API wants it. */
  path: string;
  query?: Record<string, unknown>;
  body?: unknown;
  /** Which known interval the call falls under. */
  endpoint: string;
  deadlineMs?: number;
  /** A refused read is not asked again once its bucket is available: who asks comes back by itself. */
  once?: boolean;
  /** Aborting it gives the call up while it waits for its turn, and not once it is sent. */
  beforeSent?: AbortSignal;
}

export type Send = (call: ApiCall, signal?: AbortSignal) => Promise<Record<string, unknown>>;

/** One call that was sent. `ms` is the time to its answer, without the wait for its turn. */
export interface CallInfo {
  endpoint: string;
  outcome: "ok" | VastErrorKind;
  ms: number;
}

export interface TransportOptions {
  baseUrl: string;
  /** Asked at each call, since the key may come from a file that rotates. */
  apiKey: () => string;
  clock: Clock;
  pacing: Pacing;
  /** Texts that the API may quote in an error and that must not be printed. */
  secrets?: () => readonly string[];
  /** Told when the API refuses the key: a rotated one may lie in its file. */
  onAuthError?: () => void;
  /** Told of each call that was sent, a read that is asked again each time anew. */
  onCall?: (facts: CallInfo) => void;
  /** Stands in for the network in simulations. */
  adapter?: HttpAdapter;
}

// The vendor's own client waits 120 s; a pass must end before the liveness probe doubts it, and lists answer within a second or two.
const READ_ANSWER_MS = 20_000;
// A page of 25 instances or 64 offers is about 200 kB; an endless body must not fill the memory.
const LARGEST_ANSWER_BYTES = 8 * 1024 * 1024;
// A read that was refused as too frequent has a neighbour with the same key that was faster, and no news: it is asked again
// once its bucket is available. Taken for an unknown list it made pods of one account fall in and out of "unknown" all day.
const READ_TRIES = 4;
// Longer than this the pass does not wait, for the turn of a read or for another try: the probe of what is served is part of it.
export const READ_WAIT_MS = 10_000;
// Codes of failures before a connection stood: the API cannot have done anything.
const NEVER_SENT = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);
// Codes of a certificate that Node does not accept, like DEPTH_ZERO_SELF_SIGNED_CERT.
const UNTRUSTED = /CERT|UNABLE_TO_/;

/** Sends calls; answers with the body of a success and throws `VastError` for everything else. */
export function createTransport(options: TransportOptions): Send {
  const client = createHttpClient({
    baseURL: options.baseUrl.replace(/\/+$/, ""),
    responseType: "text",
    transformResponse: [(data: unknown) => data], // the body is read as text first: errors come as HTML and plain text too
    maxContentLength: LARGEST_ANSWER_BYTES,
    headers: { Accept: "application/json", "Content-Type": "application/json", "User-Agent": "vast-pod" },
    ...(options.adapter ? { adapter: options.adapter } : {}),
  });
  const send = async (call: ApiCall, signal?: AbortSignal): Promise<HttpAnswer> => {
    const params: Record<string, string> = {};
    for (const [name, value] of Object.entries(call.query ?? {})) {
      params[name] = typeof value === "string" ? value : JSON.stringify(value);
    }
    // axios' own timeout does not stop a body that drips: the signal does.
    return withDeadline(options.clock, call.deadlineMs ?? READ_ANSWER_MS, signal, async (deadline) => {
      try {
        const response = await client.request<unknown>({
          method: call.method,
          url: call.path,
          params,
          headers: { Authorization: `Bearer ${options.apiKey()}` },
          signal: deadline,
          ...(call.body === undefined ? {} : { data: JSON.stringify(call.body) }),
        });
        const retryAfterMs = waitIn(response.headers["retry-after"], options.clock.now());
        const text = typeof response.data === "string" ? response.data : "";
        return { status: response.status, text, ...(retryAfterMs === null ? {} : { retryAfterMs }) };
      } catch (error) {
        throw networkError(describe(call), error, deadline);
      }
    });
  };
  const once: Send = async (call, signal) => {
    const turnMs = options.pacing.availableAt(call.endpoint) - options.clock.now();
    if (isRead(call) && turnMs > READ_WAIT_MS) {
      const text = "not sent, as the API has asked for a longer wait";
      throw unsent(call, { kind: "rate_limited", slug: "", text, retryAfterMs: turnMs });
    }
    const waiting = [signal, call.beforeSent].filter((one) => one !== undefined);
    // Joined only where there are two, in a create: a signal that lives on remembers each one that is made of it.
    await options.pacing.acquire(call.endpoint, waiting.length > 1 ? AbortSignal.any(waiting) : waiting[0]);
    if (waiting.some((one) => one.aborted))
      throw unsent(call, { kind: "unavailable", slug: "aborted", text: "given up before it was sent" });
    const sentAt = options.clock.now();
    const tell = (outcome: CallInfo["outcome"]) =>
      options.onCall?.({ endpoint: call.endpoint, outcome, ms: options.clock.now() - sentAt });
    try {
      const answer = await send(call, signal);
      const body = readAnswer(describe(call), answer, (text) => scrub(text, options.secrets?.() ?? [options.apiKey()]));
      tell("ok");
      options.pacing.succeeded(call.endpoint);
      return body;
    } catch (error) {
      if (!(error instanceof VastError)) throw error;
      tell(error.kind);
      options.pacing.failed(call.endpoint, error);
      if (error.kind === "auth") options.onAuthError?.();
      throw error;
    }
  };
  return async (call, signal) => {
    const until = options.clock.now() + READ_WAIT_MS;
    for (let tries = 1; ; tries += 1) {
      try {
        return await once(call, signal);
      } catch (error) {
        const refused = error instanceof VastError && error.kind === "rate_limited";
        const again = refused && isRead(call) && call.once !== true && tries < READ_TRIES && !signal?.aborted;
        if (!again || options.clock.now() + (error.retryAfterMs ?? 0) > until) throw error;
      }
    }
  };
}

/** A `Retry-After` header in either of its forms, seconds or a date; null when it is none. */
function waitIn(header: unknown, now: number): number | null {
  if (typeof header !== "string") return null;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isFinite(ms) && ms > 0 ? ms : null;
}

/** A search is a POST that changes nothing. */
function isRead(call: ApiCall): boolean {
  return call.method === "GET" || call.method === "POST";
}

function describe(call: ApiCall): string {
  return `${call.method} ${call.path}`;
}

function unsent(call: ApiCall, facts: Pick<VastErrorFields, "kind" | "slug" | "text" | "retryAfterMs">): VastError {
  return new VastError({ ...facts, call: describe(call), status: null, reached: false });
}

/** Keeps the code of a failure and drops the rest: an axios error holds the request with its headers. */
function networkError(call: string, error: unknown, deadline: AbortSignal): VastError {
  const code = codeOf(error) ?? "";
  if (deadline.aborted) {
    const why = deadline.reason instanceof Error ? deadline.reason.message : "it was given up";
    return new VastError({ kind: "unavailable", call, status: null, slug: "timeout", text: why });
  }
  if (code === "ERR_BAD_RESPONSE") {
    return new VastError({
      kind: "malformed",
      call,
      status: null,
      slug: code,
      text: "the answer is too large or broken",
    });
  }
  const untrusted = UNTRUSTED.test(code);
  return new VastError({
    kind: "unavailable",
    call,
    status: null,
    slug: code,
    text: untrusted
      ? "the certificate is not trusted: NODE_EXTRA_CA_CERTS may name a file with its authority"
      : "the connection failed",
    reached: !untrusted && !NEVER_SENT.has(code),
  });
}
