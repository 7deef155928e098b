// What the loop keeps between passes: the loop writes it, status and metrics read it. Pure.
import type { UpstreamFile } from "../common/upstream-file.ts";
import type { Observation } from "./model/observation.ts";
import type { Action, Plan } from "./model/plan.ts";
import type { State } from "./state/schema.ts";

/** Kept by `run`, read by the status server. */
export interface LoopState {
  state: State;
  file: UpstreamFile | null;
  /** The last published server, until it is withdrawn for its destroy. */
  served: { id: number; server: NonNullable<UpstreamFile["server"]> } | null;
  seen: Observation | null;
  plan: Plan | null;
  suppressed: readonly Action[];
  /** Why nothing may be mutated: the state file or the upstream file cannot be written. */
  problem: string | null;
  startCounted: boolean;
  passes: number;
  finishedAt: number;
  /** How long the last pass took. */
  passMs: number;
}

/** Before the first pass. */
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
