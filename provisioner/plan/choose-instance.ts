// Which of several instances with our label is kept. Pure.

import { phaseOf } from "../model/instance-phase.ts";
import { matchesDesired } from "../model/matches-desired.ts";
import type { ObservedInstance } from "../model/observation.ts";
import type { Instance } from "../vast/rows.ts";
import type { PlanInput } from "./input.ts";

/** The best: serving, then the right image and hash, then running, then the oldest. Null when there is none. */
export function chooseInstance(instances: readonly ObservedInstance[], input: PlanInput): ObservedInstance | null {
  const sorted = [...instances].sort(
    (a, b) => compareRanks(rank(b.row, input), rank(a.row, input)) || a.row.id - b.row.id,
  );
  return sorted[0] ?? null;
}

function rank(row: Instance, { desired, state, now }: PlanInput): number[] {
  const { image, templateHash } = matchesDesired(row, desired, state.template);
  const right = image === "same" && (templateHash === "same" || templateHash === "not_known");
  const running = phaseOf(row, row.createdAt ?? now, now).phase === "running";
  return [Number(state.tracks[row.id]?.serving ?? false), Number(right), Number(running)];
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (const [i, value] of a.entries()) {
    const difference = value - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
