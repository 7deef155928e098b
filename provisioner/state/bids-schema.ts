// What the state keeps about bids. Pure.
import * as z from "zod";

/** A bid that was raised, until its instance serves again or is gone. */
export const raisedBidSchema = z.object({
  instanceId: z.int(),
  /** $/h for the GPUs. */
  dollarsPerHour: z.number(),
  /** When it was raised last, epoch ms, and how often. */
  at: z.number(),
  times: z.int().min(1),
  /** Why the API refuses it; null: it has not. */
  refused: z.string().nullable(),
  /** It was not raised, because another instance costs this, $/h with its disk; null: it was. */
  cheaper: z.number().nullable().default(null),
});

const instant = z.number(); // epoch ms

/** The pod is on demand because bids had failed (fallback.ts). */
export const fallbackSchema = z.object({
  /** What was rented so and is still there. */
  instanceIds: z.array(z.int()),
  /** When the first of them was listed. */
  since: instant,
  /** Looks for a bid that found nothing, since the last attempt. */
  looks: z.int(),
  /** Attempts whose instance did not come up. */
  attempts: z.int(),
  /** When it looks again. */
  until: instant,
  /** What a look has found: $/h with the disk, and when. */
  found: z.object({ dollarsPerHour: z.number(), at: instant }).nullable(),
});
