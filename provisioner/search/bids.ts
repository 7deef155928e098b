// The price of an offer when it is rented with a bid. Pure.
import { type Bid, firstBid } from "../model/bid.ts";
import type { Offer } from "../vast/rows.ts";
import { columnOf, numberOf } from "./columns.ts";

/**
 * The offer at the price that is really paid: the bid and the disk, in its columns too, so that the query's own conditions and the order
 * compare that price. Without `bid` in it the offer cannot be bid for: what wins is above the fixed bid or the ceiling, or not known.
 */
export function atBid(offer: Offer, bid: Bid, maxDollarsPerHour: number | undefined): Offer {
  const number = (field: string) => numberOf(columnOf(offer.fields, field));
  const base = number("dph_base");
  // In a search of this type the price is the smallest bid; where the API shows both, the higher one is sure to win.
  const isBid = columnOf(offer.fields, "is_bid") !== false;
  const smallest = Math.max(number("min_bid") ?? 0, isBid ? (base ?? 0) : 0);
  const total = number("dph_total");
  const disk = number("storage_total_cost") ?? (total === null || base === null ? null : Math.max(total - base, 0));
  if (smallest === 0 || disk === null) return { ...offer, dollarsPerHour: null };
  const price = firstBid(bid, smallest, (maxDollarsPerHour ?? Number.POSITIVE_INFINITY) - disk);
  const dollarsPerHour = (price ?? smallest) + disk;
  const fields = { ...offer.fields, dph_base: price ?? smallest, dph_total: dollarsPerHour };
  return { ...offer, dollarsPerHour, fields, ...(price === null ? {} : { bid: price }) };
}
