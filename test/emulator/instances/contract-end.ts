// The end of a contract's period, which its machine's owner sets. Changes instances and the agenda.
import type { World } from "../world.ts";
import { type Instance, isLive } from "./instance.ts";
import { end, stop } from "./lifecycle.ts";

/** Data of an expired contract is kept this long, by the vendor's documentation. */
const KEPT_AFTER_END_MS = 48 * 3_600_000;

/** Schedules the end of the contract for the machine's end date. */
export function watchEnd(world: World, instance: Instance): void {
  world.agenda.add(instance.machine.endDate * 1000, () => {
    if (isLive(instance)) expire(world, instance);
  });
}

/** The contract's end date has come: it is stopped, and deleted 48 h later. */
export function expire(world: World, instance: Instance): void {
  stop(world, instance, "stopped");
  world.agenda.add(world.time + KEPT_AFTER_END_MS, () => end(world, instance, 0, "end_date"));
}
