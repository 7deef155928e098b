// What goes on costing money when the provisioner ends: the last line that it logs. Pure.

import { describe } from "../model/describe.ts";
import type { Observation } from "../model/observation.ts";
import type { State } from "../state/schema.ts";

/** A sentence that names every instance that may bill, at what price, and the command that ends it. */
export function billingSentence(seen: Observation | null, state: State, label: string): string {
  const end = "end it with: vast-provisioner destroy";
  const contract = state.intent?.contract ?? null;
  if (seen === null || !seen.list.known) {
    const pendingDeletes = state.pendingDeletes.map(({ id }) => id);
    const ids = [...new Set([...Object.keys(state.tracks), ...[contract ?? [], pendingDeletes].flat().map(String)])];
    const last = ids.length > 0 ? `; last seen: instance ${ids.join(", ")}` : "";
    return `what goes on billing is unknown, since the instance list is${last}: look with the label ${label}, ${end}`;
  }
  const pendingDeletes = new Set(state.pendingDeletes.map((d) => d.id));
  const living = seen.list.value.filter((row) => !pendingDeletes.has(row.id)).map(describe);
  // A create of the last pass is not listed yet, but bills.
  if (contract !== null && !seen.list.value.some((row) => row.id === contract)) {
    const price = state.intent?.dollarsPerHour ?? null;
    living.push(`instance ${contract}${price === null ? "" : ` ($${price.toFixed(3)}/h)`}`);
  }
  const parts =
    living.length > 0 ? [`${living.join(" and ")} ${living.length === 1 ? "goes" : "go"} on billing; ${end}`] : [];
  if (state.intent !== null && contract === null) {
    parts.push(`a create has an unknown outcome and may have made an instance with the label ${label}; ${end}`);
  }
  if (pendingDeletes.size > 0)
    parts.push(`instance ${[...pendingDeletes].join(", ")} was to be destroyed and is not yet seen to be gone; ${end}`);
  return parts.length > 0 ? parts.join("; ") : `no instance has the label ${label}: nothing goes on billing`;
}
