// The offer search, at its three endpoints (POST and GET bundles, PUT search/asks), with the behaviour that users report.
import { isObject, type Json, type JsonObject, numberOrNull, parseJson } from "../json.ts";
import { renewExpired } from "../market/expiry.ts";
import type { Holder } from "../market/machine.ts";
import type { Offer } from "../market/offer.ts";
import { driverNumber, offerColumn, offerRow, type PriceBasis } from "../market/offer-row.ts";
import { type ApiResponse, json } from "../message.ts";
import { seconds, type World } from "../world.ts";
import { type Call, fields } from "./call.ts";
import { compareValues, type Filter, parseFilters, passes, same, selectColumns } from "./filters.ts";

/** The server never returns more, whatever `limit` says (observed). */
const MOST_ROWS = 64;
const DEFAULT_STORAGE_GB = 8;
const NOT_FILTERS: ReadonlySet<string> = new Set(["order", "type", "limit", "allocated_storage"]);

export function searchByPost(world: World, call: Call): ApiResponse {
  return isObject(call.body) ? search(world, call.body, ["*"]) : badBody();
}

/** GET /bundles/?q=... */
export function searchByGet(world: World, call: Call): ApiResponse {
  const query = parseJson(call.query.get("q") ?? "{}");
  return isObject(query) ? search(world, query, ["*"]) : badBody();
}

/** PUT /search/asks/ with `{select_cols, q}`. */
export function searchAsks(world: World, call: Call): ApiResponse {
  const { q, select_cols: columns } = fields(call);
  if (!isObject(q)) return badBody();
  return search(world, q, Array.isArray(columns) ? columns.map(String) : ["*"]);
}

function badBody(): ApiResponse {
  return json(400, { error: "invalid_request", msg: "Invalid json body" });
}

function search(world: World, query: JsonObject, columns: readonly string[]): ApiResponse {
  renewExpired(world);
  const conditions = Object.fromEntries(Object.entries(query).filter(([name]) => !NOT_FILTERS.has(name)));
  const filters = parseFilters(conditions);
  if (!filters.ok) return json(400, { error: "invalid_request", msg: filters.problem });
  const bid = query.type === "bid" || query.type === "interruptible";
  const storageGb = numberOrNull(query.allocated_storage) ?? DEFAULT_STORAGE_GB;
  const basis: PriceBasis = { storageGb, bid, address: world.settings.advertise, now: seconds(world) };

  const order = readOrder(query.order);
  const found: { offer: Offer; keys: Json[] }[] = [];
  for (const offer of world.market.offers.values()) {
    if ((numberOrNull(offerColumn(offer, basis, "disk_space")) ?? 0) < storageGb) continue;
    if (!filters.value.every((filter) => meets(offer, basis, filter))) continue;
    found.push({ offer, keys: order.map(({ column }) => offerColumn(offer, basis, column) ?? null) });
  }
  found.sort((a, b) => {
    for (const [i, { descending }] of order.entries()) {
      const sign = compareValues(a.keys[i] ?? null, b.keys[i] ?? null);
      if (sign !== 0) return descending ? -sign : sign;
    }
    return a.offer.id - b.offer.id;
  });
  const limit = numberOrNull(query.limit) ?? MOST_ROWS;
  const rows = found.slice(0, limit > 0 ? Math.min(limit, MOST_ROWS) : MOST_ROWS);
  return json(200, { offers: rows.map(({ offer }) => selectColumns(offerRow(offer, basis), columns)) });
}

const ALIASES: Readonly<Record<string, string>> = {
  reliability: "reliability2",
  target_reliability: "expected_reliability",
  dphtotal: "dph_total",
  gpu_totalram: "gpu_total_ram",
  ubuntu_version: "os_version",
};

/** Virtual columns first; a field that no row has is silently ignored. */
function meets(offer: Offer, basis: PriceBasis, filter: Filter): boolean {
  const get = (column: string) => offerColumn(offer, basis, column);
  switch (filter.field) {
    case "id":
      return false; // reported: a filter on id matches nothing, ask_contract_id does
    case "verified":
      return passes(get("verification") === "verified", filter);
    case "datacenter":
      return passes(get("hosting_type") === 1, filter);
    case "external":
      return passes(get("external") ?? false, filter);
    case "geolocation":
      return passes(country(get("geolocation")), filter);
    case "driver_version":
      return passes(get("driver_vers") ?? null, { ...filter, value: driverValue(filter.value) });
    case "rented":
      // "Include machines where we already rent": only eq false leaves any out.
      return filter.operator !== "eq" || !same(false, filter.value) || !offer.machine.holders.some(isOurs);
    default: {
      const actual = get(ALIASES[filter.field] ?? filter.field);
      return actual === undefined || passes(actual, filter);
    }
  }
}

function isOurs(holder: Holder): boolean {
  return typeof holder === "number";
}

/** "Texas, US" -> "US". */
function country(place: Json | undefined): Json {
  return typeof place === "string" ? place.trim().slice(-2) : null;
}

/** 535086005, "535086005" and "535.86.05" alike. */
function driverValue(value: Json): Json {
  if (Array.isArray(value)) return value.map(driverValue);
  return typeof value === "string" && value.includes(".") ? driverNumber(value) : value;
}

function readOrder(order: Json | undefined): { column: string; descending: boolean }[] {
  const keys = Array.isArray(order) ? order : [["score", "desc"]];
  return keys.flatMap((key) => {
    if (!Array.isArray(key) || typeof key[0] !== "string") return [];
    return [{ column: ALIASES[key[0]] ?? key[0], descending: key[1] === "desc" }];
  });
}
