// What is bid for an interruptible instance, and how far a bid may be raised. All prices are in $/h for the GPUs of an instance; its disk
// is charged besides. Pure.
import type { Instance } from "../vast/rows.ts";

/** What an instance is rented as (VAST_INSTANCE_TYPE). A higher bid, or a customer on demand, stops an interruptible one. */
export const INSTANCE_TYPES = ["ondemand", "interruptible"] as const;

/** What is done when bids fail again and again (VAST_BID_FALLBACK). */
export const BID_FALLBACKS = ["ondemand", "none"] as const;

/** So many times the smallest bid that wins, or a fixed price (VAST_BID). */
export type Bid = { readonly factor: number } | { readonly dollarsPerHour: number };

/** How instances are bid for. */
export interface Bidding {
  bid: Bid;
  /** After some failures within an hour the next instance is rented on demand. */
  fallsBack: boolean;
}

/** The largest bid that the API takes for one GPU. */
export const MOST_BID = 32;
/** The smallest bid that the API takes. */
export const LEAST_BID = 0.001;

// Prices are compared with this precision: a bid is rounded up so far, and never above the most that may be bid.
const UNITS = 10_000;
// A fixed bid that was outbid is raised so far above the smallest one that wins.
const ABOVE_FIXED = 1.1;
// Where the row does not say what wins, because it shows no smallest bid or one that was met, a higher one is tried.
const BLIND_RAISE = 1.25;

/** The bid for an offer with this smallest bid, or null where it may not be that high. `most`: the ceiling without the disk. */
export function firstBid(bid: Bid, smallest: number, most: number): number | null {
  const wanted = "factor" in bid ? smallest * bid.factor : bid.dollarsPerHour;
  const price = Math.min(Math.max(roundedUp(wanted), LEAST_BID), most);
  return price >= smallest && price >= LEAST_BID ? price : null;
}

/** The higher bid that may bring an outbid instance back, or null where the ceiling, $/h with the disk, does not allow one that wins. */
export function raisedBid(
  { gpuDollarsPerHour: now, diskDollarsPerHour: disk, minBid: smallest }: Instance,
  bid: Bid,
  maxDollarsPerHour: number,
): number | null {
  if (disk === null || now === null) return null;
  const factor = "factor" in bid ? bid.factor : ABOVE_FIXED;
  const isBlind = smallest === null || smallest <= now;
  const wanted = isBlind ? now * BLIND_RAISE : smallest * factor;
  const price = Math.min(roundedUp(wanted), maxDollarsPerHour - disk, MOST_BID);
  return price > now && price >= LEAST_BID && (smallest === null || price >= smallest) ? price : null;
}

// A price that is less than a tenth lower is lost again with the next change of the market.
const MOST_OF_PRICE = 0.9;
// Nobody knows how long an instance keeps its machine: what its start costs has to be saved within this.
const PAYS_WITHIN_MS = 3_600_000;

/**
 * The price under which another instance is worth its start, $/h like `dollarsPerHour`, what is paid without it. Its start is counted
 * twice: it is billed, and nothing is served meanwhile.
 */
export function worthReplacingBelow(dollarsPerHour: number, startMs: number): number {
  return (dollarsPerHour * MOST_OF_PRICE) / (1 + (2 * startMs) / PAYS_WITHIN_MS);
}

function roundedUp(price: number): number {
  return Math.ceil(price * UNITS - 1e-6) / UNITS;
}
