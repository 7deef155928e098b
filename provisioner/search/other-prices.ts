// Prices of a search that nobody pays here: the instance is billed on demand, at `dph_total`. Pure.
import type { Filters } from "./fields.ts";
import { firstMismatch } from "./match.ts";
import { QueryError } from "./query-error.ts";

const ON_DEMAND = /^on-?demand$/;
const BID = "bids are made with VAST_INSTANCE_TYPE=interruptible and VAST_BID, whatever the query says";
const RESERVED =
  "its prices hold after a prepayment, which is not made here; VAST_INSTANCE_TYPE says what is rented, ondemand or interruptible";
const OTHER = "VAST_INSTANCE_TYPE says what is rented, ondemand or interruptible";

/** A search of another type shows other prices. Throws `QueryError`. `type` and `is_bid` are those of the query with this text. */
export function refuseOtherPrices(type: unknown, isBid: Filters[string] | undefined, text: string): void {
  const refuse = (field: string, value: unknown, why: string) =>
    new QueryError(
      `"${field}" is ${JSON.stringify(value)}: ${why}`,
      positionOf(field, text),
      field,
      `remove "${field}"`,
    );
  if (type !== undefined && !(typeof type === "string" && ON_DEMAND.test(type))) {
    const shown = JSON.stringify(type);
    throw refuse("type", type, /bid|interruptible/i.test(shown) ? BID : /reserved/i.test(shown) ? RESERVED : OTHER);
  }
  if (isBid !== undefined && firstMismatch({ is_bid: false }, { is_bid: isBid }) !== null)
    throw refuse("is_bid", isBid, BID);
}

function positionOf(field: string, text: string): number | null {
  const position = text.search(new RegExp(`\\b${field}\\b`));
  return position < 0 ? null : position; // JSON can write a name with escapes
}

const OTHER_PRICES: ReadonlyMap<string, string> = new Map([
  ["min_bid", "the price of a bid"],
  ["dph_base", "the price without the disk"],
  ["discounted_dph_total", "the price after a prepayment"],
  ["discounted_hourly", "the price after a prepayment"],
]);

/** Warnings about fields of a filter or an order that compare such a price. */
export function otherPriceWarnings(fields: Iterable<string>): string[] {
  return [...new Set(fields)].flatMap((field) => {
    const price = OTHER_PRICES.get(field);
    return price === undefined ? [] : [`${field} is ${price}, which is not what is billed: compare dph_total`];
  });
}
