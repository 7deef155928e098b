// Which of several instances with our label is kept. Pure.

import { phaseOf, stoppedByVast } from "../model/instance-phase.ts";
import { matchesDesired } from "../model/matches-desired.ts";
import type { ObservedInstance } from "../model/observation.ts";
import type { Instance } from "../vast/rows.ts";
import type { PlanInput } from "./input.ts";

/**
 * The best: serving, then not stopped, then the right image and hash, then running, then starting, then the oldest. Null when there
 * is none.
 */
export function chooseInstance(instances: readonly ObservedInstance[], input: PlanInput): ObservedInstance | null {
  const sorted = [...instances].sort(
    (a, b) => compareRanks(rank(b.row, input), rank(a.row, input)) || a.row.id - b.row.id,
  );
  return sorted[0] ?? null;
}

// A stopped instance does not come back, or only weeks later: one that is loading is worth more, whatever its age.
const PROGRESS = ["lost", "starting", "running"];

function rank(row: Instance, { desired, state, now }: PlanInput): number[] {
  const { image, templateHash } = matchesDesired(row, desired, state.template);
  const right = image === "same" && (templateHash === "same" || templateHash === "not_known");
  const phase = phaseOf(row, row.createdAt ?? now, now);
  const serving = state.tracks[row.id]?.serving ?? false;
  return [Number(serving), Number(!stoppedByVast(phase)), Number(right), PROGRESS.indexOf(phase.phase)];
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (const [i, value] of a.entries()) {
    const difference = value - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
