// Where the list of a pass comes from: own calls of the API, or the list that the pods of an account share. Types only.
import type { Observation } from "../model/observation.ts";
import type { Urgency } from "./list-schedule.ts";

export interface Listed extends Pick<Observation, "listedAt" | "list" | "shared" | "partial"> {
  /** The API was asked and did not answer with a list, and not because it was asked too often. */
  apiFailed?: true;
}

export interface ListReader {
  /** Waits until this pod may observe for the first time. */
  begin(signal?: AbortSignal): Promise<void>;
  /** A list to observe with; null while `last` still counts. */
  next(last: Listed | null, urgency: Urgency, signal?: AbortSignal): Promise<Listed | null>;
  /** A new list although `last` still counts, because what it shows does not answer. Null: there is none yet. */
  again(last: Listed, urgency: Urgency, signal?: AbortSignal): Promise<Listed | null>;
  /** Epoch ms at which to observe next when the plan wants it at `wantedAt`. */
  wakeAt(last: Listed | null, urgency: Urgency, wantedAt: number): number;
  /** Until the pod may create, nothing depends on the template. */
  templateIsNeeded(): boolean;
}
