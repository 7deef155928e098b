// One API call as its handler gets it: parsed, authenticated, with the fault that applies. Pure.
import type { Effect } from "../control/fault-rule.ts";
import type { Json, JsonObject } from "../json.ts";
import type { ApiResponse } from "../message.ts";
import type { World } from "../world.ts";

/** Who calls. An instance's own key can change only that instance. */
export type Identity = { kind: "account" } | { kind: "instance"; id: number } | { kind: "nobody" };

export interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  /** The parsed body; null when there was none. */
  body: Json;
  identity: Identity;
  /** Number in the path, where the route has one. */
  id: number;
  /** Base URL of this emulator for the caller, for URLs in answers. */
  base: string;
  /** A fault that the handler itself has to apply. */
  effect: Effect | null;
  /** Adds a note to the record of the request. */
  note: (text: string) => void;
}

export type Handler = (world: World, call: Call) => ApiResponse;

/** The body's fields; none if the body is not an object. */
export function fields(call: Call): JsonObject {
  return typeof call.body === "object" && call.body !== null && !Array.isArray(call.body) ? call.body : {};
}
