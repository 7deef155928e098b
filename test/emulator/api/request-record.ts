// The record of each call, so that a test can check what its program sent. Contains no key and no registry password.
import { createHash } from "node:crypto";
import { isObject, type Json, parseJson } from "../json.ts";
import type { ApiRequest, ApiResponse } from "../message.ts";
import type { RequestRecord, World } from "../world.ts";

/** A limit, so that a simulation of many days does not fill the memory. The newest are kept. */
const MOST_REQUESTS = 20_000;

export function remember(
  world: World,
  request: ApiRequest,
  url: URL,
  authorization: RequestRecord["authorization"],
  answer: ApiResponse,
  notes: readonly string[],
): void {
  world.requestCount += 1;
  const query: Record<string, string> = {};
  for (const [name, value] of url.searchParams) query[name] = name === "api_key" ? "[secret]" : value;
  world.requests.push({
    n: world.requestCount,
    at: new Date(world.time).toISOString(),
    method: request.method,
    path: url.pathname,
    query,
    body: withoutSecrets(request.body.trim() === "" ? null : (parseJson(request.body) ?? request.body), url.pathname),
    address: request.from,
    authorization,
    status: answer.status,
    note: notes.join(", "),
  });
  if (world.requests.length > MOST_REQUESTS * 1.1) world.requests = world.requests.slice(-MOST_REQUESTS);
}

function withoutSecrets(body: Json, path: string): Json {
  if (!isObject(body)) return body;
  if (path.endsWith("/secrets/")) return { ...body, value: "[secret]" };
  return typeof body.image_login === "string" ? { ...body, image_login: maskLogin(body.image_login) } : body;
}

/** `-u user -p password host` with the password as the first 16 digits of its SHA-256: comparable, not readable. */
export function maskLogin(login: string): string {
  return login.replace(/-p (\S+)/, (_, password: string) => {
    return `-p sha256:${createHash("sha256").update(password).digest("hex").slice(0, 16)}`;
  });
}
