// What run-many.ts and its child processes tell each other. Touches the channel to the parent.
import { z } from "zod";
import { MIXES, type Verdict } from "./run-one.ts";

/** What a child gets. */
export const taskSchema = z.object({
  seed: z.int(),
  hours: z.number(),
  pods: z.int(),
  fleet: z.boolean(),
  shrinkRuns: z.int(),
  mix: z.enum(MIXES).default("hard"),
  /** VAST_SEARCH_ORDER of the pods in the quality mix. */
  order: z.string().default("dph_total"),
  oracle: z.boolean().default(false),
  readsAddresses: z.boolean().default(false),
  causes: z.boolean().default(false),
});
export type Task = z.input<typeof taskSchema>;

/** The first message of a child: it has read its program. */
export const READY = "ready";

/** Runs in the child: one task after another, until the parent disconnects. */
export function runTasksOfParent(work: (task: z.infer<typeof taskSchema>) => Promise<Verdict>): void {
  process.send?.(READY);
  process.on("message", (message) => {
    work(taskSchema.parse(message)).then(
      (verdict) => process.send?.(verdict),
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
        process.exit(1);
      },
    );
  });
  process.on("disconnect", () => process.exit(0));
}
