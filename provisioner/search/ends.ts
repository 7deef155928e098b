// Where an instance served and ended lately, the next one may end too: such a machine ranks as if it cost more. Pure.
import type { AvoidedMachine } from "../state/avoided.ts";
import type { Offer } from "../vast/rows.ts";

/** What an offer is taken to cost where that is not its price, and why. */
export interface Ranking {
  dollarsPerHour: number | null;
  why: string;
}

// For each end within the last hour. Boot and graces of one more end cost about a quarter of an hour of what an instance costs.
const PRICE_PER_END = 0.25;

/** Null: no instance that served on its machine has ended within the last hour. */
export function rankingByEnds(
  { dollarsPerHour, machineId: offered }: Offer,
  avoided: readonly AvoidedMachine[],
): Ranking | null {
  const ends = avoided.filter(({ machineId, served }) => served && machineId === offered).length;
  if (ends === 0) return null;
  return {
    dollarsPerHour: dollarsPerHour === null ? null : dollarsPerHour * (1 + PRICE_PER_END * ends),
    why: `${ends === 1 ? "an instance" : `${ends} instances`} ended there within the last hour`,
  };
}

/**
 * Moves an offer with such a ranking behind the offers that follow it and cost less than it is taken to cost. Without a price it comes
 * last.
 */
export function behindCheaper(offers: readonly Offer[], avoided: readonly AvoidedMachine[]): Offer[] {
  const placed: { offer: Offer; dollarsPerHour: number }[] = [];
  for (const offer of [...offers].reverse()) {
    const ranking = rankingByEnds(offer, avoided);
    const dollarsPerHour = (ranking ?? offer).dollarsPerHour ?? Number.POSITIVE_INFINITY;
    const at = ranking === null ? 0 : placed.findIndex((other) => other.dollarsPerHour >= dollarsPerHour);
    placed.splice(at < 0 ? placed.length : at, 0, { offer, dollarsPerHour });
  }
  return placed.map(({ offer }) => offer);
}
