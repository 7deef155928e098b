// Why offers fell out of a selection, counted by reason. Pure.
import type { Offer } from "../vast/rows.ts";

/** Why an offer cannot be taken, in one word: metrics have a series for each. */
export const EXCLUSION_REASONS = [
  "not_rentable",
  "banned_host",
  "banned_machine",
  "failed_machine",
  "taken",
  "reserved",
  "no_price",
  "price",
  "disk",
  "ports",
  "duration",
  "query",
] as const;
type ExclusionReason = (typeof EXCLUSION_REASONS)[number];

/** `text` follows the count: "9 above VAST_MAX_DPH". */
export interface Rejection {
  reason: ExclusionReason;
  text: string;
}

export interface Exclusion extends Rejection {
  count: number;
  /** The lowest price among them, in $/h; null where none shows a price. */
  cheapestDollarsPerHour: number | null;
}

/** Counts the rejected offers by their text, in the order in which the texts came first. */
export function countExclusions(rejected: readonly { offer: Offer; rejection: Rejection }[]): Exclusion[] {
  const counted = new Map<string, Exclusion>();
  for (const { offer, rejection } of rejected) {
    const { count, cheapestDollarsPerHour } = counted.get(rejection.text) ?? { count: 0, cheapestDollarsPerHour: null };
    const prices = [cheapestDollarsPerHour, offer.dollarsPerHour].filter((price) => price !== null);
    counted.set(rejection.text, {
      ...rejection,
      count: count + 1,
      cheapestDollarsPerHour: prices.length === 0 ? null : Math.min(...prices),
    });
  }
  return [...counted.values()];
}

/** `9 above VAST_MAX_DPH (the cheapest $0.4100/h), 3 on a banned host`; empty when nothing is excluded. */
export function exclusionText(exclusions: readonly Exclusion[]): string {
  return exclusions
    .map(({ reason, text, count, cheapestDollarsPerHour: cheapest }) => {
      const price = reason === "price" && cheapest !== null ? ` (the cheapest $${cheapest.toFixed(4)}/h)` : "";
      return `${count} ${text}${price}`;
    })
    .join(", ");
}
