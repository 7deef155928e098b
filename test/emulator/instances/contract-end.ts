// The end of a contract's period, which its machine's owner sets, and its extension at another price. Changes instances and the agenda.
import type { World } from "../world.ts";
import { type Instance, isLive } from "./instance.ts";
import { change, end, stop } from "./lifecycle.ts";

/** Data of an expired contract is kept this long, by the vendor's documentation. */
const KEPT_AFTER_END_MS = 48 * 3_600_000;

/** Schedules the end of the contract. */
export function watchEnd(world: World, instance: Instance): void {
  const { endDate } = instance;
  world.agenda.add(endDate * 1000, () => {
    if (isLive(instance) && instance.endDate === endDate) expire(world, instance);
  });
}

/** How much longer a contract runs whose price increase is accepted, seconds. */
export const EXTENSION_SECONDS = 30 * 86_400;

/** The host's price is accepted: the contract goes on after its end, and costs more from then on. */
export function extend(world: World, instance: Instance, gpuPerHour: number): void {
  world.agenda.add(instance.endDate * 1000, () => {
    if (isLive(instance)) change(world, instance, { gpuPerHour });
  });
  instance.endDate += EXTENSION_SECONDS;
  instance.machine.endDate = Math.max(instance.machine.endDate, instance.endDate);
  watchEnd(world, instance);
}

/** The contract's end date has come: it is stopped, and deleted 48 h later. */
export function expire(world: World, instance: Instance): void {
  stop(world, instance, "stopped");
  world.agenda.add(world.time + KEPT_AFTER_END_MS, () => end(world, instance, 0, "end_date"));
}
