// An emulator with a clock that the test moves, and the API as one function. Touches nothing.
import { ACCOUNT_KEY, createEmulator, type Emulator, type EmulatorOptions } from "../../emulator/emulator.ts";
import { isObject, type Json, type JsonObject, parseJson } from "../../emulator/json.ts";
import type { ApiResponse } from "../../emulator/message.ts";

export interface Answer {
  status: number;
  /** The parsed body, or the text if it is not JSON. */
  body: JsonObject;
  text: string;
  raw: ApiResponse;
}

export interface Trial {
  emulator: Emulator;
  /** Calls the API with the account's key, or with another one (null: none). */
  api(method: string, url: string, body?: Json, key?: string | null): Answer;
  /** Calls a control route. */
  order(method: string, path: string, body?: Json): Answer;
  /** Moves the clock forward. */
  pass(seconds: number): void;
  now(): number;
}

/** 2026-11-23T15:00:00Z; any fixed instant works. */
export const START = 1_795_446_000_000;

export function trial(options: Partial<EmulatorOptions> = {}): Trial {
  let now = START;
  const emulator = createEmulator({ clock: { now: () => now }, seed: 7, machines: 60, ...options });
  const send = (method: string, url: string, body: Json | undefined, key: string | null): Answer => {
    const raw = emulator.handle({
      method,
      url,
      headers: { host: "emulator.test", ...(key === null ? {} : { authorization: `Bearer ${key}` }) },
      body: body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body),
      from: "10.1.2.3",
    });
    const parsed = parseJson(raw.body);
    return { status: raw.status, body: isObject(parsed) ? parsed : { value: parsed ?? null }, text: raw.body, raw };
  };
  return {
    emulator,
    api: (method, url, body, key = ACCOUNT_KEY) => send(method, url, body, key),
    order: (method, path, body) => send(method, `/_emulator/${path}`, body, null),
    pass: (seconds) => {
      now += seconds * 1000;
      emulator.advance();
    },
    now: () => now,
  };
}

/** A query parameter that holds JSON. */
export function jsonParameter(value: Json): string {
  return encodeURIComponent(JSON.stringify(value));
}

/** The list of objects under `name`. */
export function rowsOf(answer: Answer, name: string): JsonObject[] {
  const rows = answer.body[name];
  if (!Array.isArray(rows)) throw new Error(`${name} is no list: ${answer.text.slice(0, 200)}`);
  return rows.filter(isObject);
}

/** The number under `name`; throws when there is none. */
export function numberAt(object: JsonObject, name: string): number {
  const value = object[name];
  if (typeof value !== "number") throw new Error(`${name} is no number: ${JSON.stringify(value)}`);
  return value;
}

/** Offers that a plain search finds, cheapest first. */
export function offers(t: Trial, query: JsonObject = {}): JsonObject[] {
  return rowsOf(t.api("POST", "/api/v0/bundles/", { order: [["dph_total", "asc"]], ...query }), "offers");
}

/** Makes one plain offer the only one on the market and returns its id. */
export function onlyOffer(t: Trial, fields: JsonObject = {}): number {
  const answer = t.order("PUT", "offers", [{ dph_base: 0.36, storage_cost: 0.15, ...fields }]);
  const [offer] = rowsOf({ ...answer, body: { offers: answer.body.value ?? null } }, "offers");
  return numberAt(offer ?? {}, "id");
}

/** Rents the only offer of a fresh market and returns the instance's id. */
export function rent(t: Trial, body: JsonObject = {}, offer: JsonObject = {}): number {
  const answer = t.api("PUT", `/api/v0/asks/${onlyOffer(t, offer)}/`, {
    client_id: "me",
    image: "example/app:1",
    env: { "-p 8000:8000": "1" },
    runtype: "args",
    disk: 20,
    label: "k8s_pod=a",
    cancel_unavail: true,
    ...body,
  });
  return numberAt(answer.body, "new_contract");
}

/** The instance's row in the list, or null. */
export function listed(t: Trial, id: number): JsonObject | null {
  const answer = t.api("GET", `/api/v1/instances/?select_filters=${jsonParameter({ id: { eq: id } })}`);
  return rowsOf(answer, "instances")[0] ?? null;
}

/** What only the control routes show of an instance: costs, end, endpoints. */
export function dump(t: Trial, id: number): JsonObject {
  return t.order("GET", `instances/${id}`).body;
}
