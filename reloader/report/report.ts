// What the reloader tells: `/status`, the probes, and one log line for each change of state. Touches only the log.
import type { Logger } from "../../common/logging.ts";
import type { Applied } from "../../common/reloader-status.ts";
import type { Health } from "../../common/status-server.ts";
import type { Server } from "../../common/upstream-file.ts";
import type { Reload } from "../apply/apply.ts";
import type { AppliedState } from "./applied-state.ts";

/** What a pass came to. */
export interface PassResult {
  wanted: { generation: number; server: Server | null; hash: string | null; state: string; reason: string };
  /** Null when this pass has proven nothing; what was proven before stands. */
  applied: Applied;
  /** Why what is wanted is not applied, with the remedy; null when it is. */
  problem: string | null;
  /** What works, but not as it should. */
  warnings: readonly string[];
  /** The reload that this pass did or finished. */
  reload: Reload | null;
  state: AppliedState;
  refused: boolean;
  /** nginx does not take what is wanted, now or since an earlier pass. */
  refusing: boolean;
  /** Null when this pass has not found out. */
  nginxUp: boolean | null;
  /** Epoch ms of the upstream file's last write, null when there is no usable one. */
  upstreamWrittenAt: number | null;
}

/** Null: not known yet. */
export interface Figures {
  wantedGeneration: number | null;
  appliedGeneration: number | null;
  isProblem: boolean;
  state: AppliedState | null;
  isRefusing: boolean;
  isNginxUp: boolean | null;
  reloads: number;
  refusals: number;
  lastReload: Reload | null;
  upstreamSeenAt: number | null;
  lastPassAt: number | null;
}

// A pass may take 10 s for a reload, 1 s for old workers, 2 s for DNS, and begins 3 s after the one before. Three times
// that without a finished one means that the loop hangs.
const LIVE_LIMIT_MS = 3 * 16_000;

const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());

export class Report {
  readonly #logger: Logger;
  readonly #startedAt: number;
  #finishedAt: number | null = null;
  #last: PassResult | null = null;
  #applied: Applied = null;
  #lastReload: Reload | null = null;
  #reloads = 0;
  #refusals = 0;
  #upstreamSeenAt: number | null = null;
  #nginxUp: boolean | null = null;
  #failure: string | null = null;
  /** Time of the last reload that was logged as settled. */
  #settledAt: number | null = null;

  constructor(logger: Logger, now: number) {
    this.#logger = logger;
    this.#startedAt = now;
  }

  /** What nginx was last proven to run. */
  get applied(): Applied {
    return this.#applied;
  }

  /** Takes in a finished pass. */
  finish(result: PassResult, now: number): void {
    const { wanted, applied, problem } = result;
    this.#logger.debug(
      { event: "pass", wanted: wanted.generation, applied: applied?.generation ?? null, problem },
      "pass finished",
    );
    this.#logChanges(result);
    this.#failure = null;
    this.#last = result;
    this.#finishedAt = now;
    this.#applied = result.applied ?? this.#applied;
    this.#upstreamSeenAt = result.upstreamWrittenAt ?? this.#upstreamSeenAt;
    this.#nginxUp = result.nginxUp ?? this.#nginxUp;
    if (result.refused) this.#refusals += 1;
    if (result.reload !== null) {
      if (result.reload.at !== this.#lastReload?.at) this.#reloads += 1;
      this.#lastReload = result.reload;
    }
  }

  /** A pass that broke off: not finished work, so liveness does not count it. */
  fail(error: unknown): void {
    this.#failure = `a pass failed: ${error instanceof Error ? error.message : String(error)}`;
    this.#logger.error({ event: "internal_error", err: error }, "a pass failed");
  }

  live(now: number): Health {
    const age = now - (this.#finishedAt ?? this.#startedAt);
    const why = `the last pass finished ${age} ms ago`;
    return { ok: age <= LIVE_LIMIT_MS, why: this.#finishedAt === null ? `no pass finished within ${age} ms` : why };
  }

  ready(): Health {
    return this.#finishedAt === null
      ? { ok: false, why: "the first pass has not finished" }
      : { ok: true, why: "settings are valid and a first pass has finished" };
  }

  /** The `/status` document. `applied` is the part that the provisioner relies on. */
  status(): Record<string, unknown> {
    const wanted = this.#last?.wanted;
    return {
      applied: this.#applied,
      wanted: wanted === undefined ? null : { generation: wanted.generation, server: wanted.server, hash: wanted.hash },
      state: this.#last?.state ?? null,
      problem: this.#failure ?? this.#last?.problem ?? null,
      warnings: this.#last?.warnings ?? [],
      upstreamSeenAt: iso(this.#upstreamSeenAt),
      lastReload: this.#lastReload === null ? null : { ...this.#lastReload, at: iso(this.#lastReload.at) },
      reloads: this.#reloads,
      refusals: this.#refusals,
      lastPassAt: iso(this.#finishedAt),
      startedAt: iso(this.#startedAt),
    };
  }

  /** What `/metrics` tells; times in epoch ms. */
  figures(): Figures {
    return {
      wantedGeneration: this.#last?.wanted.generation ?? null,
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

  #logChanges(now: PassResult): void {
    const before = this.#last;
    const { generation, server, state, reason } = now.wanted;
    if (JSON.stringify(now.wanted) !== JSON.stringify(before?.wanted)) {
      this.#logger.info({ event: "desired", generation, server, state, reason }, "desired server");
    }
    for (const warning of now.warnings)
      if (!before?.warnings.includes(warning)) this.#logger.warn({ event: "warning" }, warning);
    if (now.reload?.settledMs != null && now.reload.at !== this.#settledAt) this.#logReload(now.reload, now);
    if (now.problem === (before?.problem ?? null)) return;
    if (now.problem === null) this.#logger.info({ event: "applied" }, "the desired config is applied");
    else this.#logger.warn({ event: "problem", problem: now.problem }, "the desired config is not applied");
  }

  #logReload(reload: Reload, { applied }: PassResult): void {
    this.#settledAt = reload.at;
    const { acceptedMs, settledMs } = reload;
    this.#logger.info({ event: "reload", ...applied, acceptedMs, settledMs }, "nginx reloaded");
  }
}
