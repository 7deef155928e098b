// The reloader's `/status`, health probes and metrics, and one log line for each change of state. Touches only the log.
import { messageOf } from "../../common/errors.ts";
import type { Logger } from "../../common/logging.ts";
import type { Applied } from "../../common/reloader-status.ts";
import type { Health } from "../../common/status-server.ts";
import type { ReloadTimes } from "../apply/apply.ts";
import type { MasterStatus } from "../nginx/master-status.ts";
import type { AppliedState } from "./applied-state.ts";
import type { PassReport } from "./pass-report.ts";

/** Null: not known yet. */
export interface Figures {
  desiredGeneration: number | null;
  appliedGeneration: number | null;
  isProblem: boolean;
  state: AppliedState | null;
  isRefusing: boolean;
  isNginxUp: boolean | null;
  reloads: number;
  refusals: number;
  lastReload: ReloadTimes | null;
  upstreamSeenAt: number | null;
  lastPassAt: number | null;
}

// A pass may take 10 s for a reload, 1 s for old workers and 2 s for DNS, and begins 3 s after the previous one. When none
// finishes in three times that, the loop hangs.
const LIVE_LIMIT_MS = 3 * 16_000;

/** `accepted`: the first answer with the new config. `settled`: no old worker answers any more. */
export const RELOAD_STAGES = ["accepted", "settled"] as const;
export type ReloadListener = (stage: (typeof RELOAD_STAGES)[number], ms: number) => void;

const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());

export class Report {
  readonly #logger: Logger;
  readonly #startedAt: number;
  /** The end of the last pass, or the start, by the monotonic clock. */
  #aliveAt: number;
  #finishedAt: number | null = null;
  #last: PassReport | null = null;
  #applied: Applied = null;
  #lastReload: ReloadTimes | null = null;
  #reloads = 0;
  #refusals = 0;
  #upstreamSeenAt: number | null = null;
  #nginxUp: boolean | null = null;
  #failure: string | null = null;
  /** Time of the last reload that was logged as settled. */
  #settledAt: number | null = null;
  #onReload: ReloadListener = () => undefined;

  /** `monotonicNow`: see `Clock`. */
  constructor(logger: Logger, now: number, monotonicNow: number) {
    this.#logger = logger;
    this.#startedAt = now;
    this.#aliveAt = monotonicNow;
  }

  /** Records a finished pass. */
  finish(pass: PassReport, now: number, monotonicNow: number): void {
    const { desired, applied, problem } = pass;
    this.#logger.debug(
      { event: "pass", desired: desired.generation, applied: applied?.generation ?? null, problem },
      "pass finished",
    );
    this.#logChanges(pass);
    this.#failure = null;
    this.#last = pass;
    this.#finishedAt = now;
    this.#aliveAt = monotonicNow;
    this.#applied = pass.applied ?? this.#applied;
    this.#upstreamSeenAt = pass.upstreamWrittenAt ?? this.#upstreamSeenAt;
    this.#nginxUp = pass.nginxUp ?? this.#nginxUp;
    if (pass.refused) this.#refusals += 1;
    if (pass.reload !== null) this.#countReload(pass.reload);
  }

  /** Calls `listener` once for each stage that a reload reaches. */
  onReload(listener: ReloadListener): void {
    this.#onReload = listener;
  }

  /** Records a pass that threw. It has not finished, so liveness does not count it. */
  fail(error: unknown): void {
    this.#failure = `reconcile failed with an internal error: ${messageOf(error)}`;
    this.#logger.error(
      { event: "internal_error", err: error },
      "reconcile failed with an internal error; retrying in 5 s",
    );
  }

  live(monotonicNow: number): Health {
    const age = Math.round(monotonicNow - this.#aliveAt);
    const why = `the last pass finished ${age} ms ago`;
    return { ok: age <= LIVE_LIMIT_MS, why: this.#finishedAt === null ? `no pass finished within ${age} ms` : why };
  }

  ready(): Health {
    return this.#finishedAt === null
      ? { ok: false, why: "the first pass has not finished" }
      : { ok: true, why: "settings are valid and a first pass has finished" };
  }

  /** The `/status` document. `applied` is the part that the provisioner relies on. `nginx`: as it is at this moment. */
  status(nginx: MasterStatus): Record<string, unknown> {
    const desired = this.#last?.desired;
    return {
      applied: this.#applied,
      desired:
        desired === undefined ? null : { generation: desired.generation, server: desired.server, hash: desired.hash },
      state: this.#last?.state ?? null,
      problem: this.#failure ?? this.#last?.problem ?? null,
      warnings: this.#last?.warnings ?? [],
      upstreamSeenAt: iso(this.#upstreamSeenAt),
      lastReload: this.#lastReload === null ? null : { ...this.#lastReload, at: iso(this.#lastReload.at) },
      reloads: this.#reloads,
      refusals: this.#refusals,
      nginx,
      lastPassAt: iso(this.#finishedAt),
      startedAt: iso(this.#startedAt),
    };
  }

  /** The values of `/metrics`; times in epoch ms. */
  figures(): Figures {
    return {
      desiredGeneration: this.#last?.desired.generation ?? null,
      appliedGeneration: this.#applied?.generation ?? null,
      isProblem: this.#failure !== null || (this.#last?.problem ?? null) !== null,
      state: this.#last?.state ?? null,
      isRefusing: this.#last?.refusing ?? false,
      isNginxUp: this.#nginxUp,
      reloads: this.#reloads,
      refusals: this.#refusals,
      lastReload: this.#lastReload,
      upstreamSeenAt: this.#upstreamSeenAt,
      lastPassAt: this.#finishedAt,
    };
  }

  #countReload(reload: ReloadTimes): void {
    const known = this.#lastReload?.at === reload.at ? this.#lastReload : null;
    this.#lastReload = reload;
    if (known === null) {
      this.#reloads += 1;
      this.#onReload("accepted", reload.acceptedMs);
    }
    if (reload.settledMs !== null && (known?.settledMs ?? null) === null) this.#onReload("settled", reload.settledMs);
  }

  #logChanges(pass: PassReport): void {
    const before = this.#last;
    const { generation, server, state, reason } = pass.desired;
    if (JSON.stringify(pass.desired) !== JSON.stringify(before?.desired)) {
      this.#logger.info({ event: "desired", generation, server, state, reason }, "desired server");
    }
    for (const warning of pass.warnings)
      if (!before?.warnings.includes(warning)) this.#logger.warn({ event: "warning" }, warning);
    if (pass.reload?.settledMs != null && pass.reload.at !== this.#settledAt) this.#logReload(pass.reload, pass);
    if (pass.problem === (before?.problem ?? null)) return;
    if (pass.problem === null) this.#logger.info({ event: "applied" }, "the desired config is applied");
    else this.#logger.warn({ event: "problem", problem: pass.problem }, "the desired config is not applied");
  }

  #logReload(reload: ReloadTimes, { applied }: PassReport): void {
    this.#settledAt = reload.at;
    const { acceptedMs, settledMs } = reload;
    this.#logger.info({ event: "reload", ...applied, acceptedMs, settledMs }, "nginx reloaded");
  }
}
