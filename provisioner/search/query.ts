// The user's search as the program knows it, whether it was given as JSON or in the official command line's grammar. Pure.
import * as z from "zod";
import { type Filters, OPERATORS, OPTION_NAMES, OTHER_COLUMNS, RECOGNISED, SHORT_NAMES } from "./fields.ts";
import { firstMismatch } from "./match.ts";
import { type Order, orderOf } from "./order.ts";
import { QueryError } from "./query-error.ts";
import { DEFAULT_FILTERS, parseQueryText } from "./query-text.ts";

export interface SearchQuery {
  filters: Filters;
  /** `order`, `type` and `limit` of a JSON query: sent as they are. */
  options: Readonly<Record<string, unknown>>;
  /** Sentences that say what the API may not understand. */
  warnings: readonly string[];
}

/** Text that begins with a brace is JSON and taken as it is; any other gets `seed`'s filters. Throws `QueryRefused`. */
export function readQuery(text: string, seed: Filters = DEFAULT_FILTERS): SearchQuery {
  const query = text.trim().startsWith("{") ? readJson(text) : readText(text, seed);
  refuseBids(query, text);
  return query;
}

/** A search for bids finds cheap interruptible offers, but a create without a bid price bills them on demand. */
function refuseBids({ options: beside, filters }: SearchQuery, text: string): void {
  const type = JSON.stringify(beside.type ?? filters.type ?? "");
  const { is_bid: isBid } = filters;
  const asked = /bid|interruptible/i.test(type)
    ? { field: "type", shown: type }
    : isBid !== undefined && firstMismatch({ is_bid: false }, { is_bid: isBid }) !== null
      ? { field: "is_bid", shown: JSON.stringify(isBid) }
      : null;
  if (asked === null) return;
  const { field, shown } = asked;
  const reason = `its "${field}" is ${shown}: bids are not supported, it would be billed on demand`;
  throw new QueryError(reason, positionOf(field, text), field, `leave "${field}" out`);
}

function positionOf(field: string, text: string): number | null {
  const position = text.search(new RegExp(`\\b${field}\\b`));
  return position < 0 ? null : position; // JSON can spell a name in other ways
}

function readText(text: string, seed: Filters): SearchQuery {
  const unknown = new Set<string>();
  const filters = parseQueryText(text, seed, (field) => unknown.add(field));
  const warnings = [...unknown].map((field) =>
    OPTION_NAMES.has(field)
      ? `Unrecognized field: ${field}. It is no filter and is left out; VAST_SEARCH_ORDER sets the order`
      : unrecognised(field),
  );
  return { filters, options: {}, warnings: [...warnings, ...doubts(filters)] };
}

function readJson(text: string): SearchQuery {
  const object = z.record(z.string(), z.unknown()).parse(parseJson(text)); // what begins with a brace is an object
  const beside: Record<string, unknown> = {};
  const filters: Record<string, Filters[string]> = {};
  for (const [field, value] of Object.entries(object)) {
    if (OPTION_NAMES.has(field)) {
      beside[field] = value;
      continue;
    }
    const condition = z.partialRecord(z.enum(OPERATORS), z.unknown()).safeParse(value);
    if (!condition.success) {
      throw new QueryError(
        `the condition of "${field}" must be an object of ${OPERATORS.join(", ")}`,
        Math.max(text.indexOf(JSON.stringify(field)), 0),
        JSON.stringify(field),
        'like {"gte": 1}',
      );
    }
    filters[field] = condition.data;
  }
  const unknown = Object.keys(filters).filter((field) => !RECOGNISED.has(field) && !OTHER_COLUMNS.has(field));
  const storage =
    beside.allocated_storage === undefined ? [] : ["allocated_storage is the template's disk space instead"];
  return { filters, options: beside, warnings: [...unknown.map(unrecognised), ...doubts(filters), ...storage] };
}

function parseJson(text: string): unknown {
  try {
    const json: unknown = JSON.parse(text);
    JSON.stringify(json); // what is nested too deep can be read and not be sent
    return json;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (!(error instanceof SyntaxError)) throw new QueryError(reason, null, text, "");
    const position = breaksAt(text, reason);
    throw new QueryError(reason, position, text.slice(position), "");
  }
}

/** Where JSON stops to be JSON. The parser's message names the place only sometimes. */
function breaksAt(text: string, reason: string): number {
  const named = /at position (\d+)/.exec(reason)?.[1];
  if (named !== undefined) return Number(named);
  if (/end of JSON/i.test(reason)) return text.length;
  // Every beginning that holds the wrong character is refused for it, and no shorter one is.
  const kind = reason.split(",")[0] ?? reason;
  let [right, wrong] = [0, text.length];
  while (wrong - right > 1) {
    const middle = (right + wrong) >> 1;
    if (refusalOf(text.slice(0, middle)).startsWith(kind)) wrong = middle;
    else right = middle;
  }
  return right;
}

function refusalOf(json: string): string {
  try {
    JSON.parse(json);
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function unrecognised(field: string): string {
  const full = SHORT_NAMES.get(field);
  const hint = full === undefined ? "" : `; its name is ${full}`;
  return `Unrecognized field: ${field}. It is sent, and the API leaves fields out that it does not know${hint}`;
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
  return order === undefined ? query : { ...query, options: { ...query.options, order } };
}

/** The order that was asked for; empty where it is the API's own. */
export const askedOrder = (query: SearchQuery): Order => orderOf(query.options.order);
