// What is still being billed when the provisioner stops: the last line that it logs. Pure.
import { describe } from "../model/describe.ts";
import { type Observation, wholeList } from "../model/observation.ts";
import type { State } from "../state/schema.ts";

const COMMAND = "vast-provisioner destroy";

export function nothingBilled(label: string): string {
  return `no instance has the label ${label}: nothing is being billed`;
}

/** A sentence that names every instance that may be billed, its price, and the command that destroys it. */
export function billingSentence(seen: Observation | null, state: State, label: string): string {
  const contract = state.intent?.contract ?? null;
  const pendingDeletes = new Set(state.pendingDeletes.map(({ id }) => id));
  const rows = seen && wholeList(seen);
  if (rows === null) {
    const ids = lastSeenIds(state);
    const last = ids.length > 0 ? `; last seen: instance ${ids.join(", ")}` : "";
    return `cannot tell what is still being billed because the instance list is unknown${last}; check instances labelled ${label}, and destroy them with: ${COMMAND}`;
  }
  const billed = rows.filter((row) => !pendingDeletes.has(row.id)).map(describe);
  // A create of the last pass is not listed yet, but it is billed.
  if (contract !== null && !rows.some((row) => row.id === contract)) {
    const price = state.intent?.dollarsPerHour ?? null;
    billed.push(`instance ${contract}${price === null ? "" : ` ($${price.toFixed(3)}/h)`}`);
  }
  const parts: string[] = [];
  if (billed.length === 1) parts.push(`${billed[0]} is still being billed; destroy it with: ${COMMAND}`);
  if (billed.length > 1) parts.push(`${billed.join(" and ")} are still being billed; destroy them with: ${COMMAND}`);
  if (state.intent !== null && contract === null) {
    parts.push(
      `a create with an unknown outcome may have made an instance with the label ${label}; destroy it with: ${COMMAND}`,
    );
  }
  if (pendingDeletes.size > 0) {
    const ids = [...pendingDeletes].join(", ");
    parts.push(`it is not verified yet that instance ${ids} is destroyed; destroy it again with: ${COMMAND}`);
  }
  return parts.length > 0 ? parts.join("; ") : nothingBilled(label);
}

/** The ids of all instances that the state knows and that may be billed. */
export function lastSeenIds({ tracks, intent, pendingDeletes }: State): number[] {
  return [
    ...new Set([
      ...Object.keys(tracks).map(Number),
      ...[intent?.contract ?? []].flat(),
      ...pendingDeletes.map(({ id }) => id),
    ]),
  ];
}
