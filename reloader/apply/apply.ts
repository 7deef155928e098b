// Makes nginx run a config, whatever is on the disk and in nginx now: write, signal, verify, roll back. Touches the
// config, its `.good` copy and nginx, all through what it is given. One call at a time.
import type { Clock } from "../../common/clock.ts";
import type { NginxControl } from "../nginx/control.ts";
import type { ErrorLog, LogMark } from "../nginx/error-log.ts";
import type { Config } from "../render/render.ts";
import type { ConfigFiles } from "./config-files.ts";
import { awaitAccepted, awaitSettled } from "./verify.ts";

/** How long a reload took, from the signal on. */
export interface ReloadTimes {
  /** Epoch ms of the signal. */
  at: number;
  acceptedMs: number;
  settledMs: number | null;
}

/**
 * `settled`: nginx runs this config and nothing else (`reload` null: it did already; `why`: what went wrong besides).
 * `settling`: new workers run it, old ones are still there. `absent`: it lies on the disk and no nginx runs.
 * `waiting`: nginx is too busy to answer. `refused`: nginx did not take it (`running`: and goes on with another one).
 * `failed`: it could not even be tried. `stopped`: the program is to end.
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
}

// For both steps together. A reload takes 10 ms and some 100 ms more until the old workers leave; large configs of other
// sites take seconds. Longer and a refused config without an error log to tell so stays on the disk for longer.
const DEADLINE_MS = 10_000;
// What one call waits for old workers. Normally 0.1 s; a stuck worker must not hold up the next change, which may be a
// withdrawal, so the rest is waited for by further calls.
const SETTLE_WAIT_MS = 1_000;

interface UnsettledReload {
  hash: string;
  workers: readonly number[];
  reload: ReloadTimes;
}

export class Applier {
  readonly #parts: ApplyParts;
  /** A reload that was accepted and whose old workers were not yet gone. */
  #pending: UnsettledReload | null = null;
  /** Hash of a config that lay on the disk while no nginx ran: one that starts later has read it. */
  #unread: string | null = null;
  /** Where the error log ended when the config on the disk was last written or proven; undefined before. */
  #mark: LogMark | null | undefined;

  constructor(parts: ApplyParts) {
    this.#parts = parts;
  }

  /** Makes `config` what nginx runs. Never throws for what the disk or nginx do. */
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

  /** The outcome where the bytes on the disk were right already, null when nginx needs the signal. */
  async #inPlace(config: Config, signal: AbortSignal): Promise<ApplyOutcome | null> {
    const { files, nginx } = this.#parts;
    if (this.#pending?.hash === config.hash) return this.#settle(config, this.#pending, signal);
    const proven = files.good?.hash === config.hash;
    if (!proven && this.#unread !== config.hash) return null;
    const echo = await nginx.fetchHash();
    if (signal.aborted) return { kind: "stopped", why: "the reloader was told to end" };
    if (echo.kind === "hash" && echo.hash === config.hash) return this.#settled(config, null);
    // An overloaded nginx is not helped by a reload; whether it runs the right config shows when it answers again.
    return proven && echo.kind === "silent" ? { kind: "nginx_unresponsive", why: echo.why } : null;
  }

  /**
   * No nginx: the config waits for it on the disk, unless nginx has tried to start with it and said that it cannot. It
   * says so in that log only when it was started with `-e`: of `error_log` it does not know yet.
   */
  async #withoutNginx(config: Config, why: string): Promise<ApplyOutcome> {
    this.#unread = config.hash;
    this.#pending = null;
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
    this.#pending = null;
    const delivery = nginx.reload(master);
    if (delivery === "forbidden")
      return { kind: "failed", why: nginx.forbiddenReason(master), because: "signal_failed" };
    if (delivery === "gone") return this.#withoutNginx(config, "nginx ended just now");
    const at = clock.now();
    const accepted = await awaitAccepted({
      hash: config.hash,
      since: at,
      timeoutMs: DEADLINE_MS,
      clock,
      fetchHash: () => nginx.fetchHash(),
      hasNewWorkers: () => nginx.answeringWorkers(master).some((pid) => !workers.includes(pid)),
      refusal: () => log.refusalSince(mark, master),
      isMasterAlive: () => nginx.isMaster(master),
      signal,
    });
    if (accepted.accepted) {
      const reload: ReloadTimes = { at, acceptedMs: clock.now() - at, settledMs: null };
      this.#pending = { hash: config.hash, workers, reload };
      return this.#settle(config, this.#pending, signal);
    }
    switch (accepted.because) {
      case "stopped":
        return { kind: "stopped", why: accepted.why };
      case "gone":
        return this.#withoutNginx(config, accepted.why);
      case "refused":
        return this.#rollBack(config, `nginx refused the config: ${accepted.why}`, true);
      case "late":
        return this.#rollBack(config, `${this.#lateReason(accepted.why)}; ${log.hint}`, true);
    }
  }

  #lateReason(why: string): string {
    const { configPath } = this.#parts.files;
    return `nginx did not take the config within ${DEADLINE_MS / 1000} s of the signal (${why}): it must include ${configPath}`;
  }

  async #settle(config: Config, pending: UnsettledReload, signal: AbortSignal): Promise<ApplyOutcome> {
    const { clock, nginx } = this.#parts;
    const left = await awaitSettled({
      timeoutMs: SETTLE_WAIT_MS,
      clock,
      remaining: () => nginx.stillAnswering(pending.workers),
      signal,
    });
    const reload = { ...pending.reload, settledMs: clock.now() - pending.reload.at };
    if (left.length === 0) return this.#settled(config, reload);
    if (signal.aborted) return { kind: "stopped", why: "the reloader was told to end" };
    // Not rolled back: nginx has taken the config, and the one before may point at a server that is being withdrawn.
    const why = `nginx runs the new config, but old workers (pids ${left.join(", ")}) still answer with the one before`;
    return { kind: "settling", reload: pending.reload, why };
  }

  async #settled(config: Config, reload: ReloadTimes | null): Promise<ApplyOutcome> {
    this.#pending = null;
    this.#unread = null;
    this.#mark = await this.#parts.log.mark();
    const kept = await this.#parts.files.keepAsGood(config);
    return { kind: "settled", reload, why: kept.ok ? null : kept.why };
  }

  /** Brings the last good bytes back. An nginx that is `running` goes on with what it ran before. */
  async #rollBack(config: Config, why: string, running: boolean): Promise<ApplyOutcome> {
    const { files } = this.#parts;
    const refused = { kind: "refused", why, rolledBack: false, running } as const;
    if (files.good === null || files.good.hash === config.hash) return refused;
    this.#mark = await this.#parts.log.mark();
    const written = await files.restore(files.good);
    if (written.ok) return { ...refused, rolledBack: true };
    return { ...refused, why: `${why}; and it cannot be rolled back: ${written.why}` };
  }
}
