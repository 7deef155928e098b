// What the handler of a control route gets, and the error that all of them share.
import type { Json } from "../json.ts";
import { type ApiResponse, json } from "../message.ts";
import type { World } from "../world.ts";

export interface ControlCommand {
  world: World;
  query: URLSearchParams;
  body: Json;
  /** The variable parts of the path. */
  parts: string[];
  /** Runs everything that is due. */
  advance: () => void;
}

export type ControlHandler = (command: ControlCommand) => ApiResponse;

export const notFound = (what: string): ApiResponse => json(404, { error: `there is no ${what}` });
