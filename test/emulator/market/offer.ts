// Offers: the parts of a machine that can be rented now, each once. Renting one changes the others. Pure.
import type { Random } from "../random.ts";
import type { Holder, Machine } from "./machine.ts";

export interface Offer {
  /** Also its `ask_contract_id`: what a create names. */
  id: number;
  machine: Machine;
  /** Which of the machine's cards it is. */
  gpus: readonly number[];
  /** Since when it is listed, epoch seconds. */
  startDate: number;
}

export interface Market {
  machines: Map<number, Machine>;
  /** What is on the market now, by id. */
  offers: Map<number, Offer>;
  /** Every offer that has ever been listed and is no longer: a create that names one gets another refusal than for a wrong id. */
  withdrawn: Map<number, Offer>;
  /** The offers of each machine, one place per layout. */
  listed: Map<number, (Offer | null)[]>;
  nextOfferId: number;
}

export function emptyMarket(firstOfferId: number): Market {
  return { machines: new Map(), offers: new Map(), withdrawn: new Map(), listed: new Map(), nextOfferId: firstOfferId };
}

/** Puts a machine on the market. */
export function addMachine(market: Market, machine: Machine, random: Random, now: number): void {
  market.machines.set(machine.id, machine);
  market.listed.set(
    machine.id,
    machine.layouts.map(() => null),
  );
  relist(market, machine, random, now);
}

/**
 * Brings the machine's offers in line with its free cards: an offer whose cards were taken goes, and a part that has
 * become free gets a new id (seen live: a machine that is listed again has new offer ids).
 */
export function relist(market: Market, machine: Machine, random: Random, now: number): void {
  const listed = market.listed.get(machine.id);
  if (!listed || market.machines.get(machine.id) !== machine) return; // it has left the market
  machine.layouts.forEach((parts, index) => {
    const free = parts.find((part) => part.every((card) => machine.holders[card] === null));
    const current = listed[index] ?? null;
    if (current && free && sameCards(current.gpus, free)) return;
    if (current) {
      market.offers.delete(current.id);
      market.withdrawn.set(current.id, current);
    }
    if (!free) {
      listed[index] = null;
      return;
    }
    market.nextOfferId += random.integer(1, 9);
    const offer = { id: market.nextOfferId, machine, gpus: free, startDate: now };
    market.offers.set(offer.id, offer);
    listed[index] = offer;
  });
}

/** Gives the cards to `holder` and relists the machine. False, and nothing done, when one of them is taken. */
export function take(
  market: Market,
  machine: Machine,
  cards: readonly number[],
  holder: Holder,
  random: Random,
  now: number,
) {
  if (!cards.every((card) => machine.holders[card] === null)) return false;
  for (const card of cards) machine.holders[card] = holder;
  relist(market, machine, random, now);
  return true;
}

/** Frees every card of the machine that `holder` has. */
export function release(market: Market, machine: Machine, holder: Holder, random: Random, now: number): void {
  machine.holders = machine.holders.map((one) => (one === holder ? null : one));
  relist(market, machine, random, now);
}

function sameCards(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((card, i) => card === b[i]);
}
