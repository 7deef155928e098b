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
// Parameters beside the filters. Those that change nothing here: there are no bundles, no GPU options and no incompatible machines.
const NOT_FILTERS: ReadonlySet<string> = new Set(
  "order type limit allocated_storage extra_ids template_id disable_bundling gpu_option show_incompatible".split(" "),
);
/** Parameters that can be sent as plain values, with the operator of their filter. */
const PLAIN: Readonly<Record<string, string>> = { external: "eq", has_avx: "eq", target_reliability: "gte" };

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
  const filters = parseFilters(conditionsOf(world, query));
  if (!filters.ok) return json(400, { error: "invalid_request", msg: filters.problem });
  const bid = query.type === "bid" || query.type === "interruptible";
  const storageGb = numberOrNull(query.allocated_storage) ?? DEFAULT_STORAGE_GB;
  const prepaid = query.type === "reserved";
  const basis: PriceBasis = { storageGb, bid, prepaid, address: world.settings.advertise, now: seconds(world) };
  const extraIds = Array.isArray(query.extra_ids) ? query.extra_ids.map(numberOrNull) : [];

  const order = readOrder(query.order);
  const found: { offer: Offer; keys: Json[] }[] = [];
  for (const offer of world.market.offers.values()) {
    const fits = (numberOrNull(offerColumn(offer, basis, "disk_space")) ?? 0) >= storageGb;
    const wanted = fits && filters.value.every((filter) => meets(offer, basis, filter));
    if (!wanted && !extraIds.includes(offer.id)) continue;
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

/** The filters of the query, and those of its template that it does not have itself. */
function conditionsOf(world: World, query: JsonObject): JsonObject {
  const template = world.templates.find(({ id }) => id === numberOrNull(query.template_id));
  const extra = template?.content.extra_filters;
  const conditions: JsonObject = isObject(extra) ? { ...extra } : {};
  for (const [name, value] of Object.entries(query)) {
    const operator = PLAIN[name];
    if (NOT_FILTERS.has(name)) continue;
    conditions[name] = operator !== undefined && !isObject(value) ? { [operator]: value } : value;
  }
  return conditions;
}

/** Fields that are given in GB, of columns in MB. */
const IN_GB: Readonly<Record<string, string>> = {
  gpu_ram_GB: "gpu_ram",
  cpu_ram_GB: "cpu_ram",
  gpu_totalram_GB: "gpu_total_ram",
};

/** The same value in MB. */
function inMb(value: Json): Json {
  if (Array.isArray(value)) return value.map(inMb);
  const number = numberOrNull(value);
  return number === null ? value : number * 1000;
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
      const inGb = IN_GB[filter.field];
      if (inGb !== undefined) return passes(get(inGb) ?? null, { ...filter, value: inMb(filter.value) });
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
