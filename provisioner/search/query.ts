// The user's search as the program knows it, whether it was given as JSON or in the official command line's grammar. Pure.
import * as z from "zod";
import { BESIDE_FILTERS, type Filters, OPERATORS, OTHER_COLUMNS, RECOGNISED } from "./fields.ts";
import { type Order, orderOf } from "./order.ts";
import { DEFAULT_FILTERS, parseQueryText } from "./query-text.ts";
import { QueryRefused } from "./refusal.ts";

export interface SearchQuery {
  filters: Filters;
  /** `order`, `type` and `limit` of a JSON query: sent as they are. */
  beside: Readonly<Record<string, unknown>>;
  /** Sentences that say what the API may not understand. */
  warnings: readonly string[];
}

/** Text that begins with a brace is JSON and taken as it is; any other gets `seed`'s filters. Throws `QueryRefused`. */
export function readQuery(text: string, seed: Filters = DEFAULT_FILTERS): SearchQuery {
  const query = text.trim().startsWith("{") ? readJson(text) : readText(text, seed);
  const type = query.beside.type ?? query.filters.type;
  // A search of type bid finds cheap interruptible offers, but a create without a bid price bills them on demand.
  if (type !== undefined && /bid|interruptible/i.test(JSON.stringify(type))) {
    const shown = JSON.stringify(type);
    const position = text.search(/\btype\b/);
    throw new QueryRefused(
      `its "type" is ${shown}: bids are not supported, it would be billed on demand`,
      position,
      "type",
      'leave "type" out',
    );
  }
  return query;
}

function readText(text: string, seed: Filters): SearchQuery {
  const unknown = new Set<string>();
  const filters = parseQueryText(text, seed, (field) => unknown.add(field));
  const warnings = [...unknown].map((field) =>
    BESIDE_FILTERS.has(field)
      ? `Unrecognized field: ${field}. It is no filter and is left out; VAST_SEARCH_ORDER sets the order`
      : unrecognised(field),
  );
  return { filters, beside: {}, warnings: [...warnings, ...doubts(filters)] };
}

function readJson(text: string): SearchQuery {
  const object = z.record(z.string(), z.unknown()).parse(parseJson(text)); // what begins with a brace is an object
  const beside: Record<string, unknown> = {};
  const filters: Record<string, Filters[string]> = {};
  for (const [field, value] of Object.entries(object)) {
    if (BESIDE_FILTERS.has(field)) {
      beside[field] = value;
      continue;
    }
    const condition = z.partialRecord(z.enum(OPERATORS), z.unknown()).safeParse(value);
    if (!condition.success) {
      throw new QueryRefused(
        `the condition of "${field}" must be an object of ${OPERATORS.join(", ")}`,
        Math.max(text.indexOf(JSON.stringify(field)), 0),
        JSON.stringify(field),
        'like {"gte": 1}',
      );
    }
    filters[field] = condition.data;
  }
  const unknown = Object.keys(filters).filter((field) => !RECOGNISED.has(field) && !OTHER_COLUMNS.has(field));
  return { filters, beside, warnings: [...unknown.map(unrecognised), ...doubts(filters)] };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // Its message tells the place: an offset, or the text around it.
    throw new QueryRefused(error instanceof Error ? error.message : String(error), null, text, "");
  }
}

function unrecognised(field: string): string {
  return `Unrecognized field: ${field}. It is sent, and the API leaves fields out that it does not know`;
}

/** Conditions that are right in form and hardly what somebody means. */
function doubts(filters: Filters): string[] {
  const found: string[] = [];
  if (filters.id !== undefined) found.push("a filter on id finds nothing: ask_contract_id does");
  for (const [field, condition] of Object.entries(filters)) {
    for (const [operator, value] of Object.entries(condition)) {
      if (typeof value !== "string" || !/[=<>]/.test(value)) continue;
      found.push(
        `the value of ${field} ${operator} is ${JSON.stringify(value)}: conditions are separated by blanks alone`,
      );
    }
  }
  return found;
}

/** The order to ask for: the setting's before the query's own. */
export function withOrder(query: SearchQuery, order: Order | undefined): SearchQuery {
  return order === undefined ? query : { ...query, beside: { ...query.beside, order } };
}

/** The order that was asked for; empty where it is the API's own. */
export const askedOrder = (query: SearchQuery): Order => orderOf(query.beside.order);
