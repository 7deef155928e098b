// What a control route gets to work with. Types and the one answer that all of them share.
import type { Json } from "../json.ts";
import { type ApiResponse, json } from "../message.ts";
import type { World } from "../world.ts";

export interface ControlCommand {
  world: World;
  query: URLSearchParams;
  body: Json;
  /** Parts of the path that the route leaves open. */
  parts: string[];
  /** Lets everything happen that is due. */
  advance: () => void;
}

export type ControlHandler = (command: ControlCommand) => ApiResponse;

export const notFound = (what: string): ApiResponse => json(404, { error: `there is no ${what}` });
