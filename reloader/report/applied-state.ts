// Says in one word, for `/status` and `/metrics`, whether the desired config is applied and if not, why. Pure.
import type { ApplyOutcome } from "../apply/apply.ts";

/**
 * `applied`: it is applied. `settling`: old workers or the previous config still serve. `refused`: nginx does not accept it.
 * `nginx_down`: no nginx runs. `nginx_unresponsive`: nginx does not answer. `disk`: the config cannot be written.
 * `signal_failed`: nginx may not be signalled, or several run. `invalid_input`: the upstream file, a name, a template or a
 * secret cannot be used.
 */
export const APPLIED_STATES = [
  "applied",
  "settling",
  "refused",
  "nginx_down",
  "nginx_unresponsive",
  "disk",
  "signal_failed",
  "invalid_input",
] as const;
export type AppliedState = (typeof APPLIED_STATES)[number];

export interface PassSummary {
  /** Null: every config was refused a short time ago, so none was applied. */
  outcome: Exclude<ApplyOutcome, { kind: "stopped" }> | null;
  /** nginx does not accept the desired config, in this pass or since an earlier one. */
  refusing: boolean;
  /** The upstream file can be used, and a config can be rendered for its server. */
  hasConfig: boolean;
  /** The config that was applied serves the desired server. */
  serves: boolean;
}

export function appliedState({ outcome, refusing, hasConfig, serves }: PassSummary): AppliedState {
  if (refusing || outcome === null) return "refused";
  switch (outcome.kind) {
    case "settled":
      if (!hasConfig) return "invalid_input";
      return serves ? "applied" : "settling"; // nginx started with a safer config; the next pass applies the desired one
    case "nginx_unresponsive":
      return "nginx_unresponsive";
    case "failed":
      return outcome.because;
    case "settling":
    case "refused":
    case "nginx_down":
      return outcome.kind;
  }
}

/** Whether nginx runs and answers; null when the pass has not found out. */
export function isNginxUp(outcome: ApplyOutcome | null): boolean | null {
  switch (outcome?.kind) {
    case "settled":
    case "settling":
      return true;
    case "refused":
      return outcome.running;
    case "nginx_down":
    case "nginx_unresponsive":
      return false;
    default:
      return null;
  }
}
