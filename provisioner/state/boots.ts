// What the latest instances have taught about starting: how long another one would take, and so how long a dead one is worth a wait. Pure.
import * as z from "zod";

// So many of an image count: its size and its app's start change from release to release, and a wait must follow that.
const REMEMBERED = 8;
// A container that its host restarts is back within this, and nothing may depend on one late reading.
const LEAST_GRACE_MS = 45_000;
const MOST_GRACE_MS = 300_000;
// The slower ones count: a wait must not be cut short because of one quick start.
const TYPICAL = 0.75;

export const bootSchema = z.object({
  image: z.string(),
  /** From the first list that showed it until it ran. */
  bootMs: z.number(),
  /** From then until it answered. */
  appMs: z.number(),
});
/** How an instance came up. */
export type Boot = z.infer<typeof bootSchema>;

/** `boot` added: the latest of its image, and the latest of all others. */
export function withBoot(boots: readonly Boot[], boot: Boot): Boot[] {
  const same = boots.filter(({ image }) => image === boot.image);
  const others = boots.filter(({ image }) => image !== boot.image);
  return [...others.slice(-REMEMBERED), ...same.slice(1 - REMEMBERED), boot];
}

/**
 * How long a dead instance of this image is worth a wait, ms: as long as the wait has not yet cost what another instance would. Both cost
 * service; the wait is billed, too, and another one only while its app starts. With half the boot and all of the app's start the two are
 * even, so that no wait costs more than twice what hindsight would have paid. Null: nothing is known about the image.
 */
export function graceOf(boots: readonly Boot[], image: string): number | null {
  const same = boots.filter((boot) => boot.image === image);
  if (same.length === 0) return null;
  const bootMs = typical(same.map((boot) => boot.bootMs));
  const appMs = typical(same.map((boot) => boot.appMs));
  return Math.round(Math.min(Math.max(bootMs / 2 + appMs, LEAST_GRACE_MS), MOST_GRACE_MS));
}

/** How long an instance of this image usually takes from its first list to its first answer, ms; null: nothing is known about the image. */
export function usualStart(boots: readonly Boot[], image: string): number | null {
  const same = boots.filter((boot) => boot.image === image);
  return same.length === 0 ? null : typical(same.map(({ bootMs, appMs }) => bootMs + appMs));
}

/** How long an app usually takes from running to its first answer, ms, by the latest starts, whatever their image; null: there are none. */
export function usualAppStart(boots: readonly Boot[]): number | null {
  const latest = boots.slice(-REMEMBERED);
  return latest.length === 0 ? null : typical(latest.map(({ appMs }) => appMs));
}

function typical(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * TYPICAL))] ?? 0;
}
