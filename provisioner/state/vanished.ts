// Which instances have disappeared from the list. Pure.
import { type Observation, wholeList } from "../model/observation.ts";
import type { State } from "./schema.ts";

/** Instances that were known and are not listed any more, although nobody here has destroyed them. None while not all of them are known. */
export function vanishedIds({ tracks, pendingDeletes }: State, seen: Observation): number[] {
  const rows = wholeList(seen);
  if (rows === null) return [];
  const listed = new Set(rows.map(({ id }) => id));
  const pending = new Set(pendingDeletes.map(({ id }) => id));
  return Object.keys(tracks)
    .map(Number)
    .filter((id) => !listed.has(id) && !pending.has(id));
}
