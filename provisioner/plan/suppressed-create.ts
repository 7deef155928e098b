// The create that VAST_POLICY=observe forbids, now or after an end that it forbids as well. Pure.

import type { Policy } from "../model/desired.ts";
import { wholeList } from "../model/observation.ts";
import type { Action, CreateAction } from "../model/plan.ts";
import type { PlanInput } from "./input.ts";
import { createAction } from "./no-instance.ts";

/** The suppressed create, or the one that would follow because every instance of the pod would be destroyed; null: none. */
export function suppressedCreate(
  suppressed: readonly Action[],
  policy: Policy,
  input: Pick<PlanInput, "desired" | "seen" | "state" | "limits">,
): CreateAction | null {
  const create = suppressed.find((action) => action.kind === "create");
  if (create !== undefined) return create;
  // With no-destroy the instance stays, and no other one is rented.
  if (policy !== "observe" || wholeList(input.seen) === null) return null;
  const ended = new Set(suppressed.flatMap((action) => (action.kind === "destroy" ? [action.id] : [])));
  const isLast = ended.size > 0 && input.seen.instances.every(({ row }) => ended.has(row.id));
  return isLast ? createAction(input) : null;
}
