// Requests and answers as data, so that a simulation can call the emulator without TCP. Pure.
import type { JsonObject } from "./json.ts";

export interface ApiRequest {
  method: string;
  /** Path with query, as on the request line. */
  url: string;
  /** Names in lower case. */
  headers: Readonly<Record<string, string | undefined>>;
  body: string;
  /** Address of the caller, for the rate limits. */
  from: string;
}

/** What happens to an answer on its way: the HTTP server applies it to the socket, the simulation to its client. */
export type Delivery =
  | { kind: "whole"; delayMs: number }
  | { kind: "cut" }
  | { kind: "hang" }
  | { kind: "slow"; bytesPerSecond: number };

export interface ApiResponse {
  status: number;
  contentType: string;
  body: string;
  delivery: Delivery;
}

const WHOLE: Delivery = { kind: "whole", delayMs: 0 };

/** `body` must be a JSON value. */
export function json(status: number, body: object): ApiResponse {
  return { status, contentType: "application/json", body: JSON.stringify(body), delivery: WHOLE };
}

export function text(status: number, body: string, contentType = "text/plain"): ApiResponse {
  return { status, contentType, body, delivery: WHOLE };
}

/** The API's main error form: `{success:false, error, msg}`, with further fields where an endpoint adds some. */
export function refusal(status: number, error: string, msg: string, more: JsonObject = {}): ApiResponse {
  return json(status, { success: false, error, msg, ...more });
}
