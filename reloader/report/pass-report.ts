// Describes a finished pass for `/status`, `/metrics` and the log. Pure.
import type { Applied } from "../../common/reloader-status.ts";
import type { Server } from "../../common/upstream-file.ts";
import type { ApplyOutcome, ReloadTimes } from "../apply/apply.ts";
import type { ReloadInput } from "../plan/input.ts";
import type { ReloadMemory } from "../plan/memory.ts";
import { ALTERNATE_EVERY_MS } from "../plan/next-start.ts";
import type { ReloadPlan } from "../plan/plan-reload.ts";
import { retryWaitMs } from "../plan/retry.ts";
import { type AppliedState, appliedState, isNginxUp } from "./applied-state.ts";

export interface PassReport {
  desired: { generation: number; server: Server | null; hash: string | null; state: string; reason: string };
  /** Null when this pass has proven nothing; what was proven before still holds. */
  applied: Applied;
  /** Why the desired config is not applied, with the remedy; null when it is. */
  problem: string | null;
  /** What works, but not as it should. */
  warnings: readonly string[];
  /** The reload that this pass did or finished. */
  reload: ReloadTimes | null;
  state: AppliedState;
  /** nginx refused a config in this pass. */
  refused: boolean;
  /** nginx does not accept the desired config, in this pass or since an earlier one. */
  refusing: boolean;
  /** Null when this pass has not found out. */
  nginxUp: boolean | null;
  /** Epoch ms of the upstream file's last write, null when there is no usable one. */
  upstreamWrittenAt: number | null;
}

const FALLBACK_NOTE = `until nginx starts, the config file alternates every ${ALTERNATE_EVERY_MS / 1000} s between the desired config and a safer one`;

/** `memory` is the one after the outcome. `errors`: what else failed in this pass, null for what did not. */
export function passReport(
  input: ReloadInput,
  plan: ReloadPlan,
  outcome: Exclude<ApplyOutcome, { kind: "stopped" }> | null,
  memory: ReloadMemory,
  errors: readonly (string | null)[],
): PassReport {
  const { upstream } = input;
  const { generation, server, page } = upstream.desired;
  const { desired, serves } = plan;
  const refusal = refusalOf(memory, desired.config?.hash);
  // A refusal is reported from the memory, so that the passes which wait for the next try report it too.
  const failure = outcome === null || outcome.kind === "refused" ? null : outcome.why;
  const fallback = memory.nginxDown?.usedFallback === true ? FALLBACK_NOTE : null;
  const hasConfig = upstream.problem === null && desired.config !== null && !desired.isRefused;
  return {
    desired: { generation, server, hash: desired.config?.hash ?? null, state: page.state, reason: page.reason },
    applied: outcome?.kind === "settled" ? memory.applied : null,
    problem: joined([upstream.problem, desired.problem, refusal, failure, fallback, ...errors]),
    warnings: desired.warnings,
    reload: outcome !== null && "reload" in outcome ? outcome.reload : null,
    state: appliedState({ outcome, refusing: refusal !== null, hasConfig, serves }),
    refused: outcome?.kind === "refused",
    refusing: refusal !== null,
    nginxUp: isNginxUp(outcome),
    upstreamWrittenAt: input.upstreamWrittenAt,
  };
}

/** Why nginx does not accept the config with `hash`, null when it was not refused. */
function refusalOf({ refused }: ReloadMemory, hash: string | undefined): string | null {
  if (refused === null || refused.hash !== hash) return null;
  const { why, failures } = refused;
  const next = retryWaitMs(failures) / 1000;
  return `${why} (try ${failures}, next try ${next} s after it; nginx keeps the config that it runs)`;
}

function joined(problems: readonly (string | null)[]): string | null {
  const all = problems.filter((problem) => problem !== null);
  return all.length === 0 ? null : all.join("; ");
}
