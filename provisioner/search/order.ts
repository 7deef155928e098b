// The sort order of offers: parses it like the official command line's `-o` option, and applies it to the rows. Pure.
import { columnOf, comparable } from "./columns.ts";
import { EXPECTED_COST, SHORT_NAMES } from "./fields.ts";
import { otherPriceWarnings } from "./other-prices.ts";
import { strip } from "./python-text.ts";
import { QueryError } from "./query-error.ts";
import { unknownAmong } from "./unknown-fields.ts";

/** In the search endpoint's form: field and direction, the most important first. */
export type Order = readonly (readonly [field: string, direction: "asc" | "desc"])[];

export interface ReadOrder {
  order: Order;
  /** The fields that the API does not know. */
  unknown: readonly string[];
  /** Sentences about what is probably not meant so. */
  warnings: readonly string[];
  /** By what an hour of service is expected to cost (expected-cost.ts), which the API does not know: `order` is by price then. */
  byExpectedCost: boolean;
}

/**
 * Parses `num_gpus,total_flops-`: a dash before or after the name means descending, a plus ascending, which is the default.
 * `expected_cost` stands alone. Throws `QueryError`.
 */
export function readOrder(text: string): ReadOrder {
  if (strip(text) === EXPECTED_COST)
    return { order: [["dph_total", "asc"]], unknown: [], warnings: [], byExpectedCost: true };
  const order: [string, "asc" | "desc"][] = [];
  let position = 0;
  for (const part of text.split(",")) {
    const name = strip(part);
    const down = strip(name, "-");
    const up = strip(name, "+");
    const bare = up !== name ? up : down;
    const field = SHORT_NAMES.get(bare) ?? bare;
    if (field === EXPECTED_COST)
      throw new QueryError("it is an order by itself", position, name, `write ${EXPECTED_COST} and nothing else`);
    if (name !== "" && field === "")
      throw new QueryError("the field name is missing", position, name, "write for example dph or dlperf-");
    if (name !== "") order.push([field, up === name && down !== name ? "desc" : "asc"]);
    position += part.length + 1;
  }
  const fields = order.map(([field]) => field);
  return { order, unknown: unknownAmong(fields), warnings: otherPriceWarnings(fields), byExpectedCost: false };
}

/** The pairs of a query's own `order`. Anything else in it is ignored here; the API receives it unchanged. */
export function orderOf(value: unknown): Order {
  if (!Array.isArray(value)) return [];
  return value.flatMap((pair: unknown) => {
    if (!Array.isArray(pair) || typeof pair[0] !== "string") return [];
    return [[pair[0], String(pair[1]).toLowerCase() === "desc" ? "desc" : "asc"] as const];
  });
}

/** Sorts stably: rows that compare equal keep the API's order. Rows without the field come last. */
export function sorted<T extends { fields: Readonly<Record<string, unknown>> }>(rows: readonly T[], order: Order): T[] {
  return [...rows].sort((a, b) => {
    for (const [field, direction] of order) {
      const [x, y] = [comparable(columnOf(a.fields, field)), comparable(columnOf(b.fields, field))];
      if (x === y) continue;
      if (x === null) return 1;
      if (y === null) return -1;
      const ascending = typeof x === typeof y ? (x < y ? -1 : 1) : typeof x === "number" ? -1 : 1;
      return direction === "desc" ? -ascending : ascending;
    }
    return 0;
  });
}
