// Parses the user's search query, which is JSON or in the official command line's grammar. Pure.
import { EXPECTED_COST, type Filters, OPTION_NAMES } from "./fields.ts";
import { type Order, orderOf, type ReadOrder } from "./order.ts";
import { otherPriceWarnings, refuseOtherPrices } from "./other-prices.ts";
import { readQueryJson } from "./query-json.ts";
import { DEFAULT_FILTERS, parseQueryText } from "./query-text.ts";
import { unknownAmong } from "./unknown-fields.ts";
import { wrongUnitWarnings } from "./wrong-unit.ts";

export interface SearchQuery {
  filters: Filters;
  /** `order`, `type`, `limit` and other parameters of a JSON query: sent unchanged. */
  options: Readonly<Record<string, unknown>>;
  /** The fields of filters and order that the API does not know. */
  unknown: readonly string[];
  /** Sentences about what is probably not meant so. */
  warnings: readonly string[];
  /** The offers are ordered by what an hour of service is expected to cost. */
  byExpectedCost: boolean;
  /** How long an offer must last at least. */
  minDurationSeconds: number;
}

/** Text that begins with a brace is JSON and used unchanged; other text is added to the filters of `seed`. Throws `QueryError`. */
export function readQuery(text: string, seed: Filters = DEFAULT_FILTERS): SearchQuery {
  const query = text.trim().startsWith("{") ? readJson(text) : readText(text, seed);
  const { options, filters } = query;
  const { type = filters.type?.eq ?? filters.type } = options;
  refuseOtherPrices(type, filters.is_bid, text);
  return query;
}

function readText(text: string, seed: Filters): SearchQuery {
  const unrecognized = new Set<string>();
  const filters = parseQueryText(text, seed, (field) => unrecognized.add(field));
  const isOption = (field: string) => OPTION_NAMES.has(field);
  return {
    filters,
    options: {},
    byExpectedCost: false,
    minDurationSeconds: minDurationOf(filters),
    unknown: unknownAmong([...unrecognized].filter((field) => !isOption(field))),
    warnings: [
      ...[...unrecognized]
        .filter(isOption)
        .map((field) => `${field} is not a filter and is not sent${INSTEAD.get(field) ?? ""}`),
      ...suspiciousConditions(filters),
      ...wrongUnitWarnings(filters, false),
      ...otherPriceWarnings(Object.keys(filters)),
    ],
  };
}

/** What to do about an option in a text query. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  ["order", ": set the order in VAST_SEARCH_ORDER"],
  ["type", ": VAST_INSTANCE_TYPE says what is rented"],
  ["limit", ": write the query as JSON to limit the number of offers"],
  ["allocated_storage", ": the template's disk space is used"],
]);

function readJson(text: string): SearchQuery {
  const { filters, options } = readQueryJson(text);
  const storage =
    options.allocated_storage === undefined ? [] : ["allocated_storage is ignored: the template's disk space is used"];
  const fields = [...Object.keys(filters), ...orderOf(options.order).map(([field]) => field)];
  return {
    filters,
    options,
    byExpectedCost: false,
    minDurationSeconds: minDurationOf(filters),
    unknown: unknownAmong(fields),
    warnings: [
      ...suspiciousConditions(filters),
      ...wrongUnitWarnings(filters, true),
      ...otherPriceWarnings(fields),
      ...storage,
    ],
  };
}

/** Warnings about conditions that are valid but probably not what the user means. */
function suspiciousConditions(filters: Filters): string[] {
  const found: string[] = [];
  if (filters.id !== undefined) found.push("a filter on id finds nothing: use ask_contract_id");
  for (const [field, condition] of Object.entries(filters)) {
    for (const [operator, value] of Object.entries(condition)) {
      if (typeof value !== "string" || !/[=<>]/.test(value)) continue;
      found.push(`the value of ${field} ${operator} is ${JSON.stringify(value)}: separate conditions only by spaces`);
    }
  }
  return found;
}

/** The query with the order of the setting, if there is one, instead of its own. */
export function withOrder(query: SearchQuery, read: ReadOrder | undefined): SearchQuery {
  if (read === undefined) return query;
  const { order, byExpectedCost } = read;
  return { ...query, options: { ...query.options, order }, byExpectedCost };
}

// An instance ends with its offer: an instance of an offer that ends today would be replaced today.
const DAY_SECONDS = 86_400;
// What is rented must serve for a while before it is replaced for the end of its contract: an instance takes minutes to come up.
const USEFUL_SECONDS = 3600;

/** A query with its own condition on the end of an offer replaces the default. */
function minDurationOf({ duration, end_date: endDate }: Filters): number {
  return duration === undefined && endDate === undefined ? DAY_SECONDS : 0;
}

/**
 * The query for offers that last as long as the setting says, and in any case so long that their instance is not replaced for the end of
 * its contract as soon as it is there.
 */
export function withDuration(
  query: SearchQuery,
  minSeconds: number | undefined,
  endMarginSeconds: number,
): SearchQuery {
  const wanted = minSeconds ?? query.minDurationSeconds;
  return { ...query, minDurationSeconds: Math.max(wanted, endMarginSeconds + USEFUL_SECONDS) };
}

/** The query's order; empty for the API's default order. */
export const requestedOrder = (query: SearchQuery): Order => orderOf(query.options.order);

/** `dph_total, dlperf-`, a dash for descending. */
export function orderText(query: SearchQuery): string {
  if (query.byExpectedCost) return EXPECTED_COST;
  const order = requestedOrder(query).map(([field, direction]) => (direction === "desc" ? `${field}-` : field));
  return order.length === 0 ? "the API's own order" : order.join(", ");
}
