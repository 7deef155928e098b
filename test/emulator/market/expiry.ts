// Machines leave the market when their end date comes, and their owners list them again. Changes the market.
import type { World } from "../world.ts";
import { relist } from "./offer.ts";

/** How long an owner lists a machine again, seconds: three months is the usual period. */
const RENEWAL_SECONDS = 90 * 86_400;

/** Lists again, under new ids, every machine whose period is over and that the account does not use. */
export function renewExpired(world: World): void {
  const now = world.time / 1000;
  const { market } = world;
  for (const machine of market.machines.values()) {
    if (machine.endDate > now || machine.holders.some((holder) => typeof holder === "number")) continue;
    machine.endDate = now + RENEWAL_SECONDS;
    delete machine.overrides.end_date;
    for (const offer of market.listed.get(machine.id) ?? []) {
      if (!offer) continue;
      market.offers.delete(offer.id);
      market.withdrawn.set(offer.id, offer);
    }
    market.listed.set(
      machine.id,
      machine.layouts.map(() => null),
    );
    relist(market, machine, world.random, now);
  }
}
