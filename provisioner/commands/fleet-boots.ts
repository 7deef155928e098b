// Connects what a pod knows about starts with the fleet's Redis. Touches Redis, through the store.
import type { Clock } from "../../common/clock.ts";
import { createBootStore } from "../fleet/boot-store.ts";
import type { Fleet } from "../fleet/shared-reading.ts";
import type { LoopState } from "../loop-state.ts";
import type { State } from "../state/schema.ts";

// While nobody has started the image.
const ASK_AGAIN_MS = 60_000;

/**
 * To be called after each pass, with the state before it. A start that the pass has seen is told to the fleet. A pod that knows no start of
 * its instance's image takes the latest of the fleet as if they were its own; its own later starts push them out.
 */
export function connectBoots(fleet: Fleet | null, clock: Clock): (before: State, loop: LoopState) => Promise<void> {
  const store = createBootStore(fleet);
  const askedAt = new Map<string, number>();
  return async (before, loop) => {
    if (fleet === null || loop.ownership.kind !== "ours") return;
    for (const boot of loop.state.boots)
      if (!before.boots.includes(boot)) await store.add(boot.image, [boot.bootMs, boot.appMs]);
    const image = unknownImage(loop);
    if (image === null || clock.monotonic() - (askedAt.get(image) ?? -ASK_AGAIN_MS) < ASK_AGAIN_MS) return;
    askedAt.set(image, clock.monotonic());
    const boots = ((await store.read(image)) ?? []).map(([bootMs, appMs]) => ({ image, bootMs, appMs }));
    // No pass runs meanwhile, and the serving loop learns of no start.
    if (boots.length > 0) loop.state = { ...loop.state, boots: [...loop.state.boots, ...boots] };
  };
}

function unknownImage({ seen, state: { boots } }: LoopState): string | null {
  const images = (seen?.instances ?? []).map(({ row }) => row.image);
  return images.find((image) => image !== "" && !boots.some((boot) => boot.image === image)) ?? null;
}
