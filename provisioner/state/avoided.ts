// Which machine is avoided after a destroy, and how strictly. Pure.
import type { DestroyAction } from "../model/plan.ts";
import { AVOIDING_REASONS, UNFIT_REASONS } from "../model/reasons.ts";
import type { State } from "./schema.ts";

export type AvoidedMachine = State["avoided"][number];

// A machine that failed here is avoided for an hour: longer would empty a narrow search, shorter would rent it again at once.
const AVOID_MS = 60 * 60_000;

/** The machine that this destroy speaks against, if it does. `state` still has the track of the instance. */
export function avoidedAfter({ tracks }: Pick<State, "tracks">, action: DestroyAction, now: number): AvoidedMachine[] {
  if (!AVOIDING_REASONS.has(action.reason)) return [];
  // Where it served, its end may have been the app's or chance: the machine can start the image.
  const served = tracks[action.id]?.wasReady === true && !UNFIT_REASONS.has(action.reason);
  return avoid(action.machineId, now, served);
}

/** `served`: an instance has served on it. Otherwise it is not rented at all for the time. */
export function avoid(machineId: number | null, now: number, served = false): AvoidedMachine[] {
  return machineId === null ? [] : [{ machineId, until: now + AVOID_MS, served }];
}

/** The machines that are not rented at all for a while. */
export function excludedMachines({ avoided }: Pick<State, "avoided">): number[] {
  return avoided.filter(({ served }) => !served).map(({ machineId }) => machineId);
}
