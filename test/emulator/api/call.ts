// One API call as its handler sees it: parsed, authenticated, with what a fault has ordered for it. Pure.
import type { Effect } from "../control/fault-rule.ts";
import type { Json, JsonObject } from "../json.ts";
import type { ApiResponse } from "../message.ts";
import type { World } from "../world.ts";

/** Who calls. An instance's own key may touch that instance alone. */
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
  /** Base of this emulator as the caller knows it, for URLs in answers. */
  base: string;
  /** A fault that the handler itself has to show. */
  effect: Effect | null;
  /** Says something for the record of requests. */
  note: (text: string) => void;
}

export type Handler = (world: World, call: Call) => ApiResponse;

/** The body's fields; none when the body is no object. */
export function fields(call: Call): JsonObject {
  return typeof call.body === "object" && call.body !== null && !Array.isArray(call.body) ? call.body : {};
}
