// Converts status and body of an answer to JSON or to a typed error; the API's error bodies have many forms. Pure.
import { VastError, type VastErrorKind } from "./errors.ts";

export interface HttpAnswer {
  status: number;
  text: string;
  /** From a `Retry-After` header. So far the API sends none, but a gateway in front of it may. */
  retryAfterMs?: number;
}

type Body = Readonly<Record<string, unknown>>;

/**
 * The body of a successful answer. Throws `VastError` for every other answer, also for HTTP 200 with `success: false` (except for an
 * empty search), and for a 200 that is not a JSON object (gateways answer HTML with 200 during outages). `clean` removes secrets from
 * the API's text: it may quote the request, and errors reach the log, `/status` and the 503 page.
 */
export function readAnswer(
  call: string,
  answer: HttpAnswer,
  clean: (text: string) => string = (text) => text,
): Record<string, unknown> {
  const body = parseBody(answer.text);
  const ok = answer.status >= 200 && answer.status < 300;
  if (ok && body === null) {
    throw new VastError({
      kind: "malformed",
      call,
      status: answer.status,
      slug: "",
      text: "the body is not a JSON object",
    });
  }
  if (ok && body !== null && (body.success !== false || isEmptySearch(body))) return body;
  throw errorOf(call, answer, body, clean);
}

/** The other form of a search for templates that finds none: `{"success":false,"msg":"No templates found"}`. It is known, not failed. */
function isEmptySearch({ error, msg }: Body): boolean {
  return error === undefined && typeof msg === "string" && /^no templates found\.?$/i.test(msg.trim());
}

function errorOf(call: string, answer: HttpAnswer, body: Body | null, clean: (text: string) => string): VastError {
  const slug = typeof body?.error === "string" ? body.error : "";
  const text = firstText(body?.msg, body?.message, body?.detail, body?.error) ?? withoutMarkup(answer.text);
  const contract = positiveInteger(body?.new_contract);
  const kind = body === null && isFromGateway(answer) ? "unavailable" : classify(answer.status, slug, text);
  const thresholdMs = kind === "rate_limited" ? thresholdIn(text) : null;
  const retryAfterMs = kind === "rate_limited" ? requestedWait(answer, body, thresholdMs) : null;
  return new VastError({
    kind,
    call,
    status: answer.status,
    slug: clean(slug),
    text: clean(text),
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
    ...(thresholdMs === null ? {} : { thresholdMs }),
    ...(contract === null ? {} : { contract }),
  });
}

// The texts that name a kind by themselves, with whatever status and slug they come: the API refuses a create for money as `invalid_args`,
// and answers an expired session with 404.
const AUTH = /invalid user key|invalid api key|session (has )?expired|please log ?in|requires (a )?login/;
const NO_CREDIT = /insufficient_credit|insufficient credit|missing_billing|lacks? credit|see the billing page/;
const OFFER_GONE =
  /no_such_ask|is not your own|no longer available|ask is not available|by id \d+ is not available|no ask by id/;
// A 404 without a slug proves that something is missing only if it says what: `{"detail":"Not Found"}` is the answer of any web server
// that does not know the path, and a destroy may be taken as done on the strength of a 404.
const MISSING = /\b(instances?|contract|template|machine)\b.*\b(not found|does not exist)\b|\bno such instance\b/;

// Slug and text come first, the status last: the API puts its own classes ("error 404/3603: ...") into other statuses, and
// answers a wrong key with 404. (A gateway's page does not come from the API, whatever its text is.)
function classify(status: number, slug: string, text: string): VastErrorKind {
  const words = `${slug} ${text}`.toLowerCase();
  if (/two.?factor|\b2fa\b/.test(words)) return "two_factor"; // its slug is also auth_error
  if (slug === "auth_error" || AUTH.test(words)) return "auth";
  if (NO_CREDIT.test(words)) return "no_credit";
  if (/spend_rate_limit/.test(words)) return "spend_limit";
  if (OFFER_GONE.test(words)) return "offer_gone";
  if (status === 429 || slug === "rate_limit_exceeded") return "rate_limited";
  if (status === 401 || status === 403) return "auth";
  if (status === 402) return "no_credit";
  if (status >= 500 || status === 408 || status === 409 || status === 425) return "unavailable";
  if (slug === "no_such_instance" || slug === "not_found" || slug === "instances_not_found") return "not_found";
  if (status === 404) return slug !== "" || MISSING.test(words) ? "not_found" : "unavailable";
  if (status >= 300 && status < 400) return "invalid";
  return "invalid";
}

/** The API's own errors are JSON. Another body comes from a gateway or a firewall, and proves nothing about the key or the request. */
function isFromGateway({ status, text }: HttpAnswer): boolean {
  return (
    status >= 500 ||
    status === 403 ||
    status === 404 ||
    (status >= 400 && status !== 429 && /^\s*<(!doctype|html)/i.test(text))
  );
}

/** `threshold=4.5*1.0` in the text is the endpoint's interval: seconds times a multiplier. */
function thresholdIn(text: string): number | null {
  const match = /threshold=([\d.]+)(?:\*([\d.]+))?/.exec(text);
  return match ? waitMs(Number(match[1]) * Number(match[2] ?? 1)) : null;
}

/** The longest of three waits: the interval, `retry_after` (seconds) in the body, and the header. */
function requestedWait(answer: HttpAnswer, body: Body | null, thresholdMs: number | null): number | null {
  const waits = [waitMs(Number(body?.retry_after)), thresholdMs, waitMs((answer.retryAfterMs ?? 0) / 1000)];
  const longest = Math.max(...waits.map((wait) => wait ?? 0));
  return longest > 0 ? longest : null;
}

function waitMs(seconds: number): number | null {
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds * 1000, MAX_RETRY_AFTER_MS) : null;
}

// The longest wait seen so far is 17 s. A wrong number must not block an endpoint for hours.
const MAX_RETRY_AFTER_MS = 300_000;

function parseBody(text: string): Body | null {
  try {
    const json: unknown = JSON.parse(text);
    return isObject(json) ? json : null;
  } catch {
    return null; // not JSON: the caller uses the text
  }
}

function isObject(json: unknown): json is Body {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function firstText(...candidates: unknown[]): string | null {
  for (const candidate of candidates) if (typeof candidate === "string" && candidate !== "") return candidate;
  return null;
}

function withoutMarkup(text: string): string {
  return text.replace(/<[^>]*>/g, " ");
}

function positiveInteger(value: unknown): number | null {
  const number = typeof value === "string" ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) && number > 0 ? number : null;
}
