// Which instances have disappeared from the list. Pure.
import type { Observation } from "../model/observation.ts";
import type { State } from "./schema.ts";

/** Instances that were known and are not listed any more, although nobody here has destroyed them. None while the list is unknown. */
export function vanishedIds({ tracks, pendingDeletes }: State, { list }: Observation): number[] {
  if (!list.known) return [];
  const listed = new Set(list.value.map(({ id }) => id));
  const pending = new Set(pendingDeletes.map(({ id }) => id));
  return Object.keys(tracks)
    .map(Number)
    .filter((id) => !listed.has(id) && !pending.has(id));
}
