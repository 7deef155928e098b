// The control routes under /_emulator/, with which a test reads the state and triggers events. No key is needed.
import { z } from "zod";
import { parseJson } from "../json.ts";
import { type ApiRequest, type ApiResponse, json } from "../message.ts";
import type { World } from "../world.ts";
import { type ControlCommand, type ControlHandler, notFound } from "./control-command.ts";
import { createInstance, showInstance, triggerEvent } from "./instance-commands.ts";
import { stateOf } from "./state-dump.ts";
import {
  addFault,
  changeAccount,
  changeSettings,
  changeTemplate,
  moveClock,
  removeFaults,
  removeTemplate,
  rentOut,
  replaceOffers,
  setHostRule,
  showOffers,
} from "./world-commands.ts";

export const CONTROL_PATH = "/_emulator/";

/** Answers a control request. A request that cannot be read is answered with a 400 that says why. */
export function handleControl(world: World, request: ApiRequest, advance: () => void): ApiResponse {
  const url = new URL(`http://emulator${request.url}`);
  const body = request.body.trim() === "" ? {} : parseJson(request.body);
  if (body === undefined) return json(400, { error: "the body is not JSON" });
  for (const [method, pattern, handler] of PATTERNS) {
    const match = method === request.method ? pattern.exec(url.pathname) : null;
    if (!match) continue;
    try {
      const parts = match.slice(1).map((part) => decodeURIComponent(part ?? ""));
      return handler({ world, query: url.searchParams, body, parts, advance });
    } catch (error) {
      if (error instanceof z.ZodError) return json(400, { error: z.prettifyError(error) });
      if (error instanceof URIError) return json(400, { error: "the path is not correctly encoded" });
      throw error;
    }
  }
  return notFound(`control route ${request.method} ${url.pathname}`);
}

/** Method, path as the README has it, and handler. Words in capitals are parts that the caller fills in; `[...]` is optional. */
export const CONTROL_ROUTES: readonly (readonly [string, string, ControlHandler])[] = [
  ["GET", "state", ({ world }) => json(200, stateOf(world))],
  ["GET", "requests", requestsSince],
  ["POST", "instances", createInstance],
  ["GET", "instances/WHICH", showInstance],
  ["POST", "instances/WHICH/EVENT", triggerEvent],
  ["PATCH", "templates/NAME_OR_ID", changeTemplate],
  ["DELETE", "templates/NAME_OR_ID", removeTemplate],
  ["POST", "hosts/HOST_ID", setHostRule],
  ["POST", "settings", changeSettings],
  ["GET", "offers", showOffers],
  ["PUT", "offers", replaceOffers],
  ["DELETE", "offers/ID", rentOut],
  ["POST", "faults", addFault],
  ["DELETE", "faults[/ID]", removeFaults],
  ["POST", "account", changeAccount],
  ["POST", "clock", moveClock],
];

const PATTERNS = CONTROL_ROUTES.map(([method, path, handler]) => {
  const source = path
    .replace(/\[(.*)\]/, "(?:$1)?")
    .replace(/\b(HOST_)?ID\b/, "(\\d+)")
    .replace(/\b[A-Z_]+\b/g, "([^/]+)");
  return [method, new RegExp(`^${CONTROL_PATH}${source}/?$`), handler] as const;
});

function requestsSince({ world, query }: ControlCommand): ApiResponse {
  const since = Number(query.get("since") ?? 0);
  return json(
    200,
    world.requests.filter((request) => request.n > since).map((request) => ({ ...request })),
  );
}
