// What a decision is made from. Pure.
import type { Desired, Limits } from "../model/desired.ts";
import type { Observation } from "../model/observation.ts";
import type { Ownership } from "../model/ownership.ts";
import type { State } from "../state/schema.ts";

/** Everything that a decision is made from. */
export interface PlanInput {
  desired: Desired;
  seen: Observation;
  state: State;
  /** Whether this provisioner holds the label's lease, as Redis answers; without Redis it always does. */
  ownership: Ownership;
  now: number;
  limits: Limits;
}
