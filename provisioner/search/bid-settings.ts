// What the settings about bids mean together. Pure.
import type { BID_FALLBACKS, Bid, Bidding, INSTANCE_TYPES } from "../model/bid.ts";
import type { SearchQuery } from "./query.ts";

interface BidValues {
  VAST_INSTANCE_TYPE: (typeof INSTANCE_TYPES)[number];
  VAST_BID: Bid;
  VAST_BID_FALLBACK: (typeof BID_FALLBACKS)[number];
  VAST_MAX_DPH?: number | undefined;
}

/** Null: instances are rented on demand. `problems` are complete sentences. */
export function readBidding(
  { VAST_INSTANCE_TYPE: type, VAST_BID: bid, VAST_BID_FALLBACK: fallback, VAST_MAX_DPH: most }: BidValues,
  { filters, options }: SearchQuery,
): { bidding: Bidding | null; problems: string[] } {
  if (type === "ondemand") return { bidding: null, problems: [] };
  const problems: string[] = [];
  if (most === undefined)
    problems.push(
      "VAST_INSTANCE_TYPE is interruptible and VAST_MAX_DPH is missing: set the highest price, which no bid exceeds, or VAST_INSTANCE_TYPE=ondemand.",
    );
  else if ("dollarsPerHour" in bid && bid.dollarsPerHour > most)
    problems.push(
      `VAST_BID (${bid.dollarsPerHour}) is above VAST_MAX_DPH (${most}): lower the bid, or raise VAST_MAX_DPH.`,
    );
  const names = ["type", "is_bid"].filter((name) => filters[name] !== undefined || options[name] !== undefined);
  for (const name of names)
    problems.push(
      `VAST_SEARCH_QUERY has "${name}" and VAST_INSTANCE_TYPE is interruptible: remove "${name}" from the query, the setting says what is rented.`,
    );
  return { bidding: { bid, fallsBack: fallback === "ondemand" }, problems };
}
