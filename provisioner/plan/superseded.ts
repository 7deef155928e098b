// What a provisioner knows of the wishes of one that started later and had the lease meanwhile. Pure.
import type { ObservedInstance } from "../model/observation.ts";
import type { PlanInput } from "./input.ts";

/** Its own image and template do not count any more. */
export function isSuperseded({ ownership }: Pick<PlanInput, "ownership">): boolean {
  return ownership.kind === "ours" && ownership.superseded === true;
}

/**
 * The input for the choice between several instances. A superseded provisioner knows no other sign of what is wanted than the newest
 * instance: the one that started later has created it, or would have ended it.
 */
export function wantedBy(input: PlanInput, instances: readonly ObservedInstance[]): PlanInput {
  if (!isSuperseded(input) || instances.length < 2) return input;
  const { row } = instances.reduce((newest, one) => (one.row.id > newest.row.id ? one : newest));
  const { desired, state } = input;
  const template = state.template && row.templateHash !== null ? { ...state.template, hash: row.templateHash } : null;
  return { ...input, desired: { ...desired, image: row.image || desired.image }, state: { ...state, template } };
}
