// The decision table of the planner, as the code exports it. Touches the files of provisioner/plan/.
import { readdir } from "node:fs/promises";
import * as z from "zod";
import { ROOT } from "./documents.ts";

const exporting = z.looseObject({
  DECISION_TABLE: z.array(z.looseObject({ rule: z.coerce.string(), observed: z.string(), plan: z.string() })),
});

export type DecisionRow = z.infer<typeof exporting>["DECISION_TABLE"][number];

/** The rows in the order in which they are tried; null while no file of the planner exports them. */
export async function decisionRows(): Promise<DecisionRow[] | null> {
  const folder = `${ROOT}provisioner/plan/`;
  for (const name of await readdir(folder)) {
    const module = exporting.safeParse(await import(`${folder}${name}`));
    if (module.success) return module.data.DECISION_TABLE;
  }
  return null;
}
