// What the search for a create requires of an offer, by the template as it is known. Pure.
import type { Observation } from "../model/observation.ts";
import type { CreateAction } from "../model/plan.ts";
import { type Requirements, requirements } from "../search/requirements.ts";
import type { State } from "../state/schema.ts";

/** Null: no template is known. */
export function needsOfCreate(create: CreateAction, seen: Observation, state: State): Requirements | null {
  const template = seen.template.known ? seen.template.value : state.template;
  if (template === null) return null;
  const bans = [...(seen.bans.known ? seen.bans.value : []), ...state.unwrittenBans];
  return requirements(template, create.maxDollarsPerHour ?? undefined, bans, create.bid);
}
