// Which offer `doctor --rent` takes, and for how long, so that it costs no more than the operator allows. Pure.
import type { Offer } from "../vast/rows.ts";

export interface RentPlan {
  offers: readonly PricedOffer[];
  /** How long it may wait for the instance to answer. */
  waitMs: number;
  /** What it costs at most, without traffic. */
  mostDollars: number;
}

export type PricedOffer = Offer & { dollarsPerHour: number };

/** How long a destroy is carried through: an instance may be listed two minutes after it was destroyed. */
export const CLEANUP_MS = 600_000;
// Less than this is no trial: pulling an image takes some minutes.
const LEAST_WAIT_MS = 180_000;
// Others are faster now and then; after more misses the market is not as it was searched.
const MOST_OFFERS = 3;
const MS_PER_HOUR = 3_600_000;

/** $ for so many ms. */
export const costOf = (dollarsPerHour: number, ms: number): number => (dollarsPerHour * ms) / MS_PER_HOUR;

/** The cheapest of the acceptable offers, or why none is taken. `waitMs`: the longest wait that makes sense. */
export function planRent(
  acceptable: readonly Offer[],
  waitMs: number,
  maxDollars: number,
): RentPlan | { why: string; remedy: string } {
  const priced = acceptable
    .filter((offer): offer is PricedOffer => offer.dollarsPerHour !== null)
    .sort((a, b) => a.dollarsPerHour - b.dollarsPerHour);
  const [cheapest] = priced;
  if (cheapest === undefined)
    return { why: "no offer can be taken", remedy: "see the check of the query, and try again when it finds offers" };
  // Of all that are tried, the dearest decides.
  const offers = priced
    .slice(0, MOST_OFFERS)
    .filter(({ dollarsPerHour }) => affordableMs(dollarsPerHour, maxDollars) >= LEAST_WAIT_MS);
  const dearest = offers.at(-1)?.dollarsPerHour;
  if (dearest === undefined) {
    const needed = costOf(cheapest.dollarsPerHour, LEAST_WAIT_MS + CLEANUP_MS);
    return {
      why: `the cheapest offer costs $${cheapest.dollarsPerHour.toFixed(3)}/h, which may become more than $${maxDollars.toFixed(2)} before it is destroyed`,
      remedy: `allow more with --max-dollars ${needed.toFixed(2)}`,
    };
  }
  const wait = Math.min(waitMs, affordableMs(dearest, maxDollars));
  return { offers, waitMs: wait, mostDollars: costOf(dearest, wait + CLEANUP_MS) };
}

function affordableMs(dollarsPerHour: number, maxDollars: number): number {
  return dollarsPerHour === 0 ? Number.POSITIVE_INFINITY : (maxDollars / dollarsPerHour) * MS_PER_HOUR - CLEANUP_MS;
}
