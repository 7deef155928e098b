// What stands between what is wanted and what nginx serves, in one word for `/status` and `/metrics`. Pure.
import type { ApplyOutcome } from "../apply/apply.ts";

/**
 * `applied`: nothing. `settling`: old workers, or the config before. `refused`: nginx does not take the config.
 * `absent`: no nginx runs. `busy`: it does not answer. `disk`: the config cannot be written. `signal`: nginx must not or cannot be signalled.
 * `input`: the upstream file, a name, a template or a secret cannot be used.
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
  /** Null: there was no config that may be tried. */
  outcome: Exclude<ApplyOutcome, { kind: "stopped" }> | null;
  /** nginx does not take what is wanted, now or since an earlier pass. */
  refusing: boolean;
  /** The upstream file can be used and there is a config for what it wants. */
  hasConfig: boolean;
  /** What nginx was given serves what is wanted. */
  serves: boolean;
}

export function appliedState({ outcome, refusing, hasConfig, serves }: PassSummary): AppliedState {
  if (refusing || outcome === null) return "refused";
  switch (outcome.kind) {
    case "settled":
      if (!hasConfig) return "invalid_input";
      return serves ? "applied" : "settling"; // it has started with a safer config, and the wanted one comes next
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

/** Whether nginx is there and answers; null where a pass has not found out. */
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
