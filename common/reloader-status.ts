// The parts of the reloader's `/status` that the provisioner reads: when it withdraws a server, and for its own `/status`. Pure.
import * as z from "zod";

const serverSchema = z.object({ scheme: z.string(), host: z.string(), port: z.number() });

/**
 * `applied` is what nginx was verified to serve (accepted and settled): the newest generation of the upstream file whose server is
 * in effect, or null when nothing was verified since the reloader started.
 */
export const appliedSchema = z.object({
  applied: z.object({ generation: z.number(), server: serverSchema.nullable(), hash: z.string() }).nullable(),
});

export type Applied = z.infer<typeof appliedSchema>["applied"];

/** What nginx serves, in the reloader's words. */
export const proxyStatusSchema = z.object({
  applied: z.object({ generation: z.number() }).nullable(),
  state: z.string().nullable(),
  problem: z.string().nullable(),
});
