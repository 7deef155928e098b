// Who calls, and whether the key allows the call. Pure.

import type { ApiRequest } from "../message.ts";
import { type ApiResponse, json, refusal } from "../message.ts";
import type { RequestRecord, World } from "../world.ts";
import type { Identity } from "./call.ts";
import type { Route } from "./routes.ts";

export interface Caller {
  identity: Identity;
  authorization: RequestRecord["authorization"];
  /** The key as given: the rate limits distinguish callers by it. */
  key: string;
}

/** Reads the bearer token, or the older `api_key` parameter. */
export function identify(world: World, request: ApiRequest, query: URLSearchParams): Caller {
  const bearer = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  const key = bearer ?? query.get("api_key") ?? "";
  const form = bearer === undefined ? "query" : "Bearer";
  if (key === "") return { identity: { kind: "nobody" }, authorization: "none", key };
  if (key === world.account.key && !world.account.keyRevoked) {
    return { identity: { kind: "account" }, authorization: `${form} right`, key };
  }
  for (const instance of world.live.values()) {
    if (instance.apiKey === key) {
      return { identity: { kind: "instance", id: instance.id }, authorization: `${form} right`, key };
    }
  }
  return { identity: { kind: "nobody" }, authorization: `${form} wrong`, key };
}

/** The error for this caller at this route, or null if the call is allowed. */
export function refuse(world: World, caller: Caller, route: Route, id: number): ApiResponse | null {
  const { account } = world;
  if (caller.key === "") return route.anonymous ? null : refusal(403, "auth_error", "This action requires login.");
  if (caller.identity.kind === "nobody") {
    // A wrong key is a 404 (observed), although the documentation says 401; also where no key is needed.
    return refusal(world.settings.badKeyStatus, "auth_error", "Invalid user key");
  }
  if (account.sessionExpired) return json(404, { success: false, msg: "Session expired. Please log in again." });
  if (account.twoFactor) {
    return refusal(401, "auth_error", "This call requires a Two Factor Authentication login.");
  }
  if (caller.identity.kind === "instance") {
    const allowed = route.instanceKey && caller.identity.id === id;
    return allowed ? null : refusal(403, "not_authorized", "This key may only manage its own instance.");
  }
  if (account.scopes !== null && !account.scopes.includes(route.scope)) {
    return refusal(403, "not_authorized", `This key lacks the permission ${route.scope}.`);
  }
  return null;
}
