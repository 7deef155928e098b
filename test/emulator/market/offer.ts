// Offers: the parts of a machine that can be rented now. Renting one changes the others. Pure.
import type { Random } from "../random.ts";
import type { Holder, Machine } from "./machine.ts";

export interface Offer {
  /** Also its `ask_contract_id`, which a create uses. */
  id: number;
  machine: Machine;
  /** The indexes of its GPUs in the machine. */
  gpus: readonly number[];
  /** When it was listed, epoch seconds. */
  startDate: number;
}

export interface Market {
  machines: Map<number, Machine>;
  /** The offers on the market, by id. */
  offers: Map<number, Offer>;
  /** Every offer that was listed before: a create for one of them gets another error than for a wrong id. */
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
 * Updates the machine's offers to its free GPUs: an offer whose GPUs were taken is removed, and a part that is free again gets a
 * new id (observed: a machine that is listed again has new offer ids).
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

/** Gives the GPUs to `holder` and updates the offers. Returns false and does nothing if one of them is taken. */
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

/** Frees every GPU of the machine that `holder` has. */
export function release(market: Market, machine: Machine, holder: Holder, random: Random, now: number): void {
  machine.holders = machine.holders.map((one) => (one === holder ? null : one));
  relist(market, machine, random, now);
}

function sameCards(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((card, i) => card === b[i]);
}
