// What the API answers to a search for offers. Pure.
import { isObject, parseJson } from "../emulator/json.ts";
import type { ApiRequest, ApiResponse } from "../emulator/message.ts";

/** Null: the call is no search, or its answer is none. `cheapest`: $/h of the cheapest offer that can be rented; null: there is none. */
export function searchOf(
  request: ApiRequest,
  answer: ApiResponse,
): { forBids: boolean; cheapest: number | null } | null {
  if (request.method !== "POST" || !request.url.startsWith("/api/v0/bundles/")) return null;
  const found = answer.delivery.kind === "whole" && answer.status === 200 ? parseJson(answer.body) : null;
  if (!isObject(found) || !Array.isArray(found.offers)) return null;
  const prices = found.offers.filter(isObject).flatMap(({ rentable, dph_total: price }) => {
    return rentable !== false && typeof price === "number" ? [price] : [];
  });
  const body = parseJson(request.body);
  const forBids = isObject(body) && body.type === "bid";
  return { forBids, cheapest: prices.length === 0 ? null : Math.min(...prices) };
}
