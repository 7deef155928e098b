// Makes nginx run a config, whatever is on the disk and in nginx now: write, signal, verify, roll back. Touches the config,
// its `.good` copy and nginx, all through what it is given. One call at a time.
import type { Clock } from "../../common/clock.ts";
import type { NginxControl } from "../nginx/control.ts";
import type { ErrorLog, LogMark } from "../nginx/error-log.ts";
import type { Config } from "../render/render.ts";
import type { ConfigFiles } from "./config-files.ts";
import { awaitAccepted, awaitSettled } from "./verify.ts";

/** How long a reload took, counted from the signal. */
export interface ReloadTimes {
  /** Epoch ms of the signal. */
  at: number;
  acceptedMs: number;
  settledMs: number | null;
}

/**
 * `settled`: nginx runs this config and no other (`reload` null: it already did; `why`: another problem, null for none).
 * `settling`: new workers run it, old ones still answer. `nginx_down`: it is on the disk, but no nginx runs.
 * `nginx_unresponsive`: nginx does not answer in time. `refused`: nginx did not accept it (`running`: nginx still runs
 * another config). `failed`: it could not be tried. `stopped`: left early, because the program is stopping or the server was
 * withdrawn meanwhile.
 */
export type ApplyOutcome =
  | { kind: "settled"; reload: ReloadTimes | null; why: string | null }
  | { kind: "settling"; reload: ReloadTimes; why: string }
  | { kind: "refused"; why: string; rolledBack: boolean; running: boolean }
  | { kind: "failed"; why: string; because: "disk" | "signal_failed" }
  | { kind: "nginx_down" | "nginx_unresponsive"; why: string }
  | { kind: "stopped"; why: string };

export interface ApplyParts {
  clock: Clock;
  nginx: NginxControl;
  files: ConfigFiles;
  log: ErrorLog;
  /** Whether the upstream file says "no server" now. */
  isWithdrawn(): Promise<boolean>;
}

// For both steps together. A reload takes 10 ms, and 100 ms more until the old workers exit; large configs of other sites
// take seconds. With a longer deadline a refused config stays on the disk longer where there is no error log.
const DEADLINE_MS = 10_000;
// How long one call waits for old workers, which normally takes 0.1 s. A stuck worker must not delay the next change, which
// may be a withdrawal, so later calls wait for the rest.
const SETTLE_WAIT_MS = 1_000;

interface UnsettledReload {
  hash: string;
  workers: readonly number[];
  reload: ReloadTimes;
  /** When nginx was signalled, by the monotonic clock. */
  since: number;
}

export class Applier {
  readonly #parts: ApplyParts;
  /** A reload that was accepted while old workers still answered. */
  #unsettled: UnsettledReload | null = null;
  /** Hash of the config that was on the disk while no nginx ran: an nginx that starts later has read it. */
  #unread: string | null = null;
  /** Where the error log ended when the config on the disk was last written or proven; undefined before. */
  #mark: LogMark | null | undefined;

  constructor(parts: ApplyParts) {
    this.#parts = parts;
  }

  /** Makes nginx run `config`. Errors of the disk and of nginx are outcomes, never thrown. */
  async ensure(config: Config, signal: AbortSignal): Promise<ApplyOutcome> {
    const { files, nginx, log } = this.#parts;
    const mark = await log.mark();
    const written = await files.write(config);
    if (!written.ok) return { kind: "failed", why: written.why, because: "disk" };
    if (written.changed || this.#mark === undefined) this.#mark = mark;
    if (!written.changed) {
      const inPlace = await this.#inPlace(config, signal);
      if (inPlace !== null) return inPlace;
    }
    const master = await nginx.findMaster();
    if (master.found === "several") return { kind: "failed", why: master.why, because: "signal_failed" };
    if (master.found === "none") return this.#withoutNginx(config, master.why);
    return this.#reload(config, master.pid, signal);
  }

  /** The outcome when the bytes on the disk were already right; null when nginx must reload. */
  async #inPlace(config: Config, signal: AbortSignal): Promise<ApplyOutcome | null> {
    const { files, nginx } = this.#parts;
    if (this.#unsettled?.hash === config.hash) return this.#settle(config, this.#unsettled, signal);
    const proven = files.good?.hash === config.hash;
    if (!proven && this.#unread !== config.hash) return null;
    const probe = await nginx.fetchHash();
    if (signal.aborted) return { kind: "stopped", why: "the reloader is stopping" };
    if (probe.kind === "hash" && probe.hash === config.hash) return this.#settled(config, null);
    // A reload does not help an overloaded nginx. Which config it runs is checked when it answers again.
    return proven && probe.kind === "silent" ? { kind: "nginx_unresponsive", why: probe.why } : null;
  }

  /**
   * nginx is down: the config stays on the disk for its next start, unless nginx has tried to start with it and logged an
   * error. At a start nginx writes to that log only with the option `-e`, since it has not read `error_log` yet.
   */
  async #withoutNginx(config: Config, why: string): Promise<ApplyOutcome> {
    this.#unread = config.hash;
    this.#unsettled = null;
    const refused = await this.#parts.log.refusalSince(this.#mark ?? null, null);
    return refused === null
      ? { kind: "nginx_down", why }
      : this.#rollBack(config, `nginx does not start: ${refused}`, false);
  }

  async #reload(config: Config, master: number, signal: AbortSignal): Promise<ApplyOutcome> {
    const { clock, nginx, log } = this.#parts;
    const workers = nginx.answeringWorkers(master);
    const mark = await log.mark();
    this.#unread = null;
    this.#unsettled = null;
    const signalled = nginx.reload(master);
    if (signalled === "forbidden")
      return { kind: "failed", why: nginx.forbiddenReason(master), because: "signal_failed" };
    if (signalled === "gone") return this.#withoutNginx(config, "nginx has just exited");
    const at = clock.now();
    const since = clock.monotonic();
    const accepted = await awaitAccepted({
      hash: config.hash,
      since,
      timeoutMs: DEADLINE_MS,
      clock,
      fetchHash: () => nginx.fetchHash(),
      hasNewWorkers: () => nginx.answeringWorkers(master).some((pid) => !workers.includes(pid)),
      isWithdrawn: async () => config.server !== null && (await this.#parts.isWithdrawn()),
      refusal: () => log.refusalSince(mark, master),
      isMasterAlive: () => nginx.isMaster(master),
      signal,
    });
    if (accepted.accepted) {
      const reload: ReloadTimes = { at, acceptedMs: Math.round(clock.monotonic() - since), settledMs: null };
      this.#unsettled = { hash: config.hash, workers, reload, since };
      return this.#settle(config, this.#unsettled, signal);
    }
    switch (accepted.because) {
      case "stopped":
        return { kind: "stopped", why: accepted.why };
      case "gone":
        return this.#withoutNginx(config, accepted.why);
      case "refused":
        return this.#rollBack(config, `nginx refused the config: ${accepted.why}`, true);
      case "timeout":
        if (nginx.hasPendingReload(master)) return { kind: "nginx_unresponsive", why: this.#pendingReason(master) };
        return this.#rollBack(config, `${this.#timeoutReason(accepted.why)}; ${log.hint}`, true);
    }
  }

  /** Nothing was refused: when the master runs again, it reads what is on the disk. So that stays. */
  #pendingReason(master: number): string {
    const remedy = `continue it (kill -CONT ${master}), or raise its CPU limit`;
    return `nginx' master (pid ${master}) has not taken the signal within ${DEADLINE_MS / 1000} s: it is stopped or slow; ${remedy}`;
  }

  #timeoutReason(why: string): string {
    const { configPath } = this.#parts.files;
    return `nginx did not load the config within ${DEADLINE_MS / 1000} s of the signal (${why}): make sure that nginx' main config includes ${configPath}`;
  }

  async #settle(config: Config, unsettled: UnsettledReload, signal: AbortSignal): Promise<ApplyOutcome> {
    const { clock, nginx } = this.#parts;
    const left = await awaitSettled({
      timeoutMs: SETTLE_WAIT_MS,
      clock,
      remaining: () => nginx.stillAnswering(unsettled.workers),
      signal,
    });
    const reload = { ...unsettled.reload, settledMs: Math.round(clock.monotonic() - unsettled.since) };
    if (left.length === 0) return this.#settled(config, reload);
    if (signal.aborted) return { kind: "stopped", why: "the reloader is stopping" };
    // Not rolled back: nginx has accepted the config, and the previous one may point to a server that is being withdrawn.
    const why = `nginx runs the new config, but old workers (pids ${left.join(", ")}) still answer with the previous one`;
    return { kind: "settling", reload: unsettled.reload, why };
  }

  async #settled(config: Config, reload: ReloadTimes | null): Promise<ApplyOutcome> {
    this.#unsettled = null;
    this.#unread = null;
    this.#mark = await this.#parts.log.mark();
    const kept = await this.#parts.files.keepAsGood(config);
    return { kind: "settled", reload, why: kept.ok ? null : kept.why };
  }

  /**
   * Restores the last good config on the disk, unless it names a server that was withdrawn. An nginx that is `running` still
   * runs its previous config.
   */
  async #rollBack(config: Config, why: string, running: boolean): Promise<ApplyOutcome> {
    const { files } = this.#parts;
    const refused = { kind: "refused", why, rolledBack: false, running } as const;
    if (files.good === null || files.good.hash === config.hash) return refused;
    if (config.server === null && files.good.server !== null) return refused;
    this.#mark = await this.#parts.log.mark();
    const written = await files.restore(files.good);
    if (written.ok) return { ...refused, rolledBack: true };
    return { ...refused, why: `${why}; and the last good config cannot be restored: ${written.why}` };
  }
}
