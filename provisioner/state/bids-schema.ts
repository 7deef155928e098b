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
});
