// What an instance's container has printed: requested from the API, then fetched from the storage that it names. Touches the network
// through what it is given.
import * as z from "zod";
import type { Clock } from "../../common/clock.ts";
import { codeOf } from "../../common/errors.ts";
import { createTextClient } from "../../common/http.ts";
import { expectShape } from "./checks.ts";
import type { Send } from "./transport.ts";

export interface LogRequest {
  /** The last so many lines. */
  tail: number;
  /** `daemon`: what the host's container engine said, like the errors of a pull. */
  of: "container" | "daemon";
  /** Only lines with this text. */
  filter: string | null;
}

/** GET without a key: the status and the text of the answer. */
export type FetchText = (url: string, deadlineMs: number) => Promise<{ status: number; text: string }>;

const answer = z.object({ result_url: z.string() });

/** Returns the URL under which the log will be. It is a secret: whoever has it can read the log. */
export async function requestInstanceLogs(send: Send, id: number, { tail, of, filter }: LogRequest): Promise<string> {
  const path = `/api/v0/instances/request_logs/${id}/`;
  const body = {
    tail: String(tail),
    ...(filter === null ? {} : { filter }),
    ...(of === "daemon" ? { daemon_logs: "true" } : {}),
  };
  const call = { method: "PUT", path, body, endpoint: "logs" } as const;
  return expectShape(answer, await send(call), `PUT ${path}`, "no `result_url`").result_url;
}

// 30 to 60 s have been seen until a log is there.
const WITHIN_MS = 90_000;
const EVERY_MS = 1000;
const GET_DEADLINE_MS = 20_000;
// Of a storage that does not have the file yet.
const NOT_YET = [403, 404];

/** Throws when the log does not come, or comes from a place that is neither https nor the API itself. */
export async function fetchInstanceLogs(url: string, apiUrl: string, fetch: FetchText, clock: Clock): Promise<string> {
  if (!isTrusted(url, apiUrl))
    throw new Error("the API names a place for the log that is no https URL: it is not fetched");
  const until = clock.monotonic() + WITHIN_MS;
  for (;;) {
    const { status, text } = await fetch(url, GET_DEADLINE_MS).catch((error: unknown) => {
      throw new Error(`the log cannot be fetched: ${codeOf(error) ?? "no answer"}`); // the error holds the URL
    });
    if (status === 200) return text;
    if (!NOT_YET.includes(status)) throw new Error(`the log cannot be fetched: HTTP ${status}`);
    if (clock.monotonic() + EVERY_MS > until)
      throw new Error(`the log was not there within ${WITHIN_MS / 1000} s: the host may be offline; try again`);
    await clock.sleep(EVERY_MS);
  }
}

function isTrusted(url: string, apiUrl: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, origin } = new URL(url);
  return protocol === "https:" || origin === new URL(apiUrl).origin;
}

// A log of 100,000 lines takes some 10 MB.
const MAX_LOG_BYTES = 32 * 1024 * 1024;

/** Through the proxy of the environment, and without following redirects. */
export const fetchText: FetchText = async (url, deadlineMs) => {
  const request = createTextClient({ headers: { "User-Agent": "vast-pod" }, maxContentLength: MAX_LOG_BYTES });
  const { status, data } = await request({ url, headers: {}, timeout: deadlineMs });
  return { status, text: typeof data === "string" ? data : "" };
};
