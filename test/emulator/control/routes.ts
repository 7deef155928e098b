// The control routes under /_emulator/, by which a test looks at the state and orders what happens. No key is needed.
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

/** Answers a control request. What cannot be read is a 400 that says why. */
export function handleControl(world: World, request: ApiRequest, advance: () => void): ApiResponse {
  const url = new URL(`http://emulator${request.url}`);
  const body = request.body.trim() === "" ? {} : parseJson(request.body);
  if (body === undefined) return json(400, { error: "the body is not JSON" });
  for (const [method, pattern, handler] of CONTROL_ROUTES) {
    const match = method === request.method ? pattern.exec(url.pathname) : null;
    if (!match) continue;
    try {
      const parts = match.slice(1).map((part) => decodeURIComponent(part ?? ""));
      return handler({ world, query: url.searchParams, body, parts, advance });
    } catch (error) {
      if (error instanceof z.ZodError) return json(400, { error: z.prettifyError(error) });
      if (error instanceof URIError) return json(400, { error: "the path is not encoded as it should be" });
      throw error;
    }
  }
  return notFound(`control route ${request.method} ${url.pathname}`);
}

const at = (path: string) => new RegExp(`^/_emulator/${path}/?$`);

const CONTROL_ROUTES: readonly (readonly [string, RegExp, ControlHandler])[] = [
  ["GET", at("state"), ({ world }) => json(200, stateOf(world))],
  ["GET", at("requests"), requestsSince],
  ["POST", at("instances"), createInstance],
  ["GET", at("instances/([^/]+)"), showInstance],
  ["POST", at("instances/([^/]+)/([^/]+)"), triggerEvent],
  ["PATCH", at("templates/([^/]+)"), changeTemplate],
  ["DELETE", at("templates/([^/]+)"), removeTemplate],
  ["POST", at("hosts/(\\d+)"), setHostRule],
  ["POST", at("settings"), changeSettings],
  ["GET", at("offers"), showOffers],
  ["PUT", at("offers"), replaceOffers],
  ["DELETE", at("offers/(\\d+)"), rentOut],
  ["POST", at("faults"), addFault],
  ["DELETE", at("faults(?:/(\\d+))?"), removeFaults],
  ["POST", at("account"), changeAccount],
  ["POST", at("clock"), moveClock],
];

function requestsSince({ world, query }: ControlCommand): ApiResponse {
  const since = Number(query.get("since") ?? 0);
  return json(
    200,
    world.requests.filter((request) => request.n > since).map((request) => ({ ...request })),
  );
}
