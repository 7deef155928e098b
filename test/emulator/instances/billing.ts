// What an instance costs while its machine is online. Disk: from create to the end of the contract. GPUs: from the first time it ran,
// while the contract holds them; loading before that is free. Pure.

import { storagePerHour } from "../market/offer-row.ts";
import type { World } from "../world.ts";
import { type Bill, holdsCards, type Instance, isLive } from "./instance.ts";

const HOUR_MS = 3_600_000;

export function diskPerHour(instance: Instance): number {
  return storagePerHour(instance.machine.storageCost, instance.disk);
}

/** The API hears from the machine: otherwise nothing is charged, neither GPUs nor disk. */
function isOnline({ actualStatus }: Instance): boolean {
  return actualStatus !== "unknown" && actualStatus !== "offline";
}

/** True while the GPUs are charged. */
export function chargesCards(instance: Instance): boolean {
  return holdsCards(instance) && instance.firstRunningAt !== null && isOnline(instance);
}

/** $/h that it costs now. */
function rateOf(instance: Instance): number {
  if (!isLive(instance) || !isOnline(instance)) return 0;
  return diskPerHour(instance) + (chargesCards(instance) ? instance.gpuPerHour : 0);
}

/** Updates the bill. Must be called before every change of a state that has a price. */
export function settle(world: World, instance: Instance): void {
  const hours = (world.time - instance.bill.settledAt) / HOUR_MS;
  if (hours > 0 && isLive(instance) && isOnline(instance)) {
    instance.bill.diskDollars += hours * diskPerHour(instance);
    if (chargesCards(instance)) instance.bill.gpuDollars += hours * instance.gpuPerHour;
  }
  instance.bill.settledAt = world.time;
}

export const total = ({ gpuDollars, diskDollars, trafficDollars }: Bill): number =>
  gpuDollars + diskDollars + trafficDollars;

/** $ that the account can still spend. */
export function spendable(world: World): number {
  let spent = world.spentOnEnded;
  for (const instance of world.live.values()) {
    settle(world, instance);
    spent += total(instance.bill);
  }
  return world.account.balance + world.account.credit - spent;
}

/** $/h of everything the account has now. */
export function dollarsPerHour(world: World): number {
  let rate = 0;
  for (const instance of world.live.values()) rate += rateOf(instance);
  return rate;
}
