// What the loop knows between its passes: the loop writes it, status and metrics read it. Pure.
import type { UpstreamFile } from "../common/upstream-file.ts";
import type { Observation } from "./model/observation.ts";
import type { Action, Plan } from "./model/plan.ts";
import type { State } from "./state/schema.ts";

/** What the loop knows; `main` keeps it and the status server reads it. */
export interface LoopState {
  state: State;
  file: UpstreamFile | null;
  /** The last server that the upstream file named, until its instance is gone. */
  served: { id: number; server: NonNullable<UpstreamFile["server"]> } | null;
  seen: Observation | null;
  plan: Plan | null;
  suppressed: readonly Action[];
  /** What keeps mutations from being made: the state or the upstream file cannot be written. */
  problem: string | null;
  startCounted: boolean;
  passes: number;
  finishedAt: number;
  /** How long the last pass took. */
  passMs: number;
}

/** What the loop knows before its first pass. */
export function startState(state: State, now: number): LoopState {
  return {
    state,
    file: null,
    served: null,
    seen: null,
    plan: null,
    suppressed: [],
    problem: null,
    startCounted: false,
    passes: 0,
    finishedAt: now,
    passMs: 0,
  };
}
