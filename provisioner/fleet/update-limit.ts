// The pod's place among those that are updated at once (VAST_MAX_UPDATING). Touches Redis through the store.
import type { Clock } from "../../common/clock.ts";
import type { FleetPacing } from "./pacing.ts";

export interface UpdateLimit {
  /** Asks for a place, or keeps it. Null: Redis does not answer. */
  ask(): Promise<{ allowed: boolean; others: number; most: number } | null>;
  /** Called while no place is asked for. `goesOn`: an update has begun and is not over; else its place is free for another pod. */
  note(goesOn: boolean): Promise<void>;
}

const NOTE_EVERY_MS = 5000;

/** `most` null: any number of pods may be updated at once. */
export function createUpdateLimit(
  { clock, pacing }: { clock: Clock; pacing: Pick<FleetPacing, "tryStore"> },
  most: number | null,
): UpdateLimit {
  if (most === null)
    return { ask: async () => ({ allowed: true, others: 0, most: Infinity }), note: async () => undefined };
  let mayHavePlace = true; // a former process may have taken it
  let until: number | null = null;
  let notedAt = 0;
  return {
    async ask() {
      const asked = await pacing.tryStore(async ({ updating }) => updating?.goDown() ?? null);
      if (asked === null) return null;
      if (asked.allowed) {
        mayHavePlace = true;
        until = asked.until;
        notedAt = clock.monotonic();
      }
      return asked;
    },
    async note(goesOn) {
      if (goesOn) {
        // Redis may have forgotten it.
        if (until === null || clock.monotonic() - notedAt < NOTE_EVERY_MS) return;
        const noted = until;
        notedAt = clock.monotonic();
        await pacing.tryStore(async ({ updating }) => updating?.stayDown(noted) ?? null);
        return;
      }
      until = null;
      if (mayHavePlace)
        mayHavePlace =
          (await pacing.tryStore(async ({ updating }) => updating?.comeUp().then(() => true) ?? true)) === null;
    },
  };
}
