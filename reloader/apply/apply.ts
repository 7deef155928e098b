// Makes nginx run a config, whatever is on the disk and in nginx now: write, signal, verify, roll back. Touches the config,
// its `.good` copy and nginx, all through what it is given. One call at a time.
import { type Clock, elapsedMs } from "../../common/clock.ts";
import type { NginxControl } from "../nginx/control.ts";
import type { ErrorLog, LogMark } from "../nginx/error-log.ts";
import type { HashProbe } from "../nginx/hash-probe.ts";
import type { Worker } from "../nginx/workers.ts";
import type { Config } from "../render/render.ts";
import type { ConfigFiles } from "./config-files.ts";
import { LeavingTimes, OldWorkers, unsettledReason } from "./old-workers.ts";
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
 * `settling`: new workers run it, old ones may still answer (`why` null: only a connection from before the reload).
 * `nginx_down`: it is on the disk, but no nginx runs.
 * `nginx_unresponsive`: nginx does not answer in time. `refused`: nginx did not accept it (`running`: nginx still runs
 * another config). `failed`: it could not be tried. `stopped`: left early, because the program is stopping or the server was
 * withdrawn meanwhile.
 */
export type ApplyOutcome =
  | { kind: "settled"; reload: ReloadTimes | null; why: string | null }
  | { kind: "settling"; reload: ReloadTimes | null; why: string | null }
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
// The start of a process is known to 10 ms, and the time of a file to 4 ms or so.
const CLOCK_STEPS_MS = 50;
// How long one call waits for old workers, which normally takes 0.1 s. A stuck worker must not delay the next change, which
// may be a withdrawal, so later calls wait for the rest.
const SETTLE_WAIT_MS = 1_000;

const ASK_CONNECTIONS_EVERY_MS = 50;
// nginx tells the workers from before a reload to leave 100 ms after it has forked the new ones. Until then one that is hardly older
// than the one that answers may still run an earlier config.
const JUST_FORKED_MS = 250;

interface Unsettled {
  hash: string;
  master: number;
  old: OldWorkers;
  /** Null: nginx was not signalled by this run. */
  reload: ReloadTimes | null;
  /** When nginx was signalled or first checked, by the monotonic clock. */
  since: number;
  /** Of the file that nginx has loaded. */
  writtenAt: number | null;
}

export class Applier {
  readonly #parts: ApplyParts;
  readonly #leaving = new LeavingTimes();
  /** When nginx was last asked for its connections, by the monotonic clock. */
  #askedAt = Number.NEGATIVE_INFINITY;
  /** A config that was accepted while old workers could still answer. */
  #unsettled: Unsettled | null = null;
  /** The file that this run has last seen settled; null when nginx may be loading another one. */
  #proven: { hash: string; writtenAt: number | null } | null = null;
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
    if (!written.changed && !files.mustReload) {
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
    if (this.#unsettled?.hash === config.hash && nginx.isMaster(this.#unsettled.master))
      return this.#settle(config, this.#unsettled, signal);
    const isGood = files.good?.hash === config.hash;
    if (!isGood && this.#unread !== config.hash) return null;
    const probe = await nginx.fetchHash();
    if (signal.aborted) return { kind: "stopped", why: "the reloader is stopping" };
    if (probe.kind === "hash" && probe.hash === config.hash) return this.#check(config, probe, signal);
    // A reload does not help an overloaded nginx. Which config it runs is checked when it answers again.
    return isGood && probe.kind === "silent" ? { kind: "nginx_unresponsive", why: probe.why } : null;
  }

  /** `probe` has answered the right hash without a signal of this run. Null when that does not prove enough. */
  async #check(config: Config, probe: HashProbe, signal: AbortSignal): Promise<ApplyOutcome | null> {
    const { clock, nginx, files } = this.#parts;
    const master = await nginx.findMaster();
    if (master.found !== "one") return this.#settled(config, null, await files.writtenAt());
    const workers = nginx.workers(master.pid, []);
    const writtenAt = await files.writtenAt();
    if (this.#proven?.hash === config.hash && this.#proven.writtenAt === writtenAt) {
      const why = unsettledReason(workers.filter((worker) => worker.oldMaster !== null && !worker.isLeaving));
      return why === null ? this.#settled(config, null, writtenAt) : { kind: "settling", reload: null, why };
    }
    // This run has not seen nginx load this file. A worker that is older shows only what an earlier file held: another one may
    // have been there in between, which nginx is still loading.
    const answered = workers.find((worker) => probe.kind === "hash" && worker.pid === probe.pid);
    if (answered !== undefined && writtenAt !== null && nginx.startOf(answered) < writtenAt - CLOCK_STEPS_MS)
      return null;
    const isAlone = workers.every((worker) => worker === answered || worker.isLeaving || worker.oldMaster !== null);
    if (answered !== undefined && !isAlone && elapsedMs(nginx.startOf(answered), clock.now()) < JUST_FORKED_MS)
      return { kind: "settling", reload: null, why: null };
    const old = new OldWorkers(config.hash, []);
    old.note([probe], workers, clock.monotonic());
    this.#unsettled = { hash: config.hash, master: master.pid, old, reload: null, since: clock.monotonic(), writtenAt };
    return this.#settle(config, this.#unsettled, signal);
  }

  /**
   * nginx is down: the config stays on the disk for its next start, unless nginx has tried to start with it and logged an
   * error. At a start nginx writes to that log only with the option `-e`, since it has not read `error_log` yet.
   */
  async #withoutNginx(config: Config, why: string): Promise<ApplyOutcome> {
    this.#unread = config.hash;
    this.#unsettled = null;
    this.#parts.files.mustReload = false;
    const refused = await this.#parts.log.refusalSince(this.#mark ?? null, null);
    return refused === null
      ? { kind: "nginx_down", why }
      : this.#rollBack(config, `nginx does not start: ${refused}`, false);
  }

  /** `isSecond`: somebody else had overwritten the config before nginx read it, or may have. */
  async #reload(config: Config, master: number, signal: AbortSignal, isSecond = false): Promise<ApplyOutcome> {
    const { clock, nginx, log, files } = this.#parts;
    const old = new OldWorkers(config.hash, nginx.workers(master, []));
    const mark = await log.mark();
    const writtenAt = await files.writtenAt();
    this.#unread = null;
    this.#unsettled = null;
    const provenBefore = this.#proven;
    this.#proven = null;
    const signalled = nginx.reload(master);
    if (signalled === "forbidden")
      return { kind: "failed", why: nginx.forbiddenReason(master), because: "signal_failed" };
    if (signalled === "gone") return this.#withoutNginx(config, "nginx has just exited");
    this.#parts.files.mustReload = false;
    const at = clock.now();
    const since = clock.monotonic();
    const accepted = await awaitAccepted({
      hash: config.hash,
      since,
      timeoutMs: DEADLINE_MS,
      clock,
      fetchHash: () => nginx.fetchHash(),
      isProof: (probes) => old.note(probes, nginx.workers(master, old.known), clock.monotonic()),
      isWithdrawn: async () => config.server !== null && (await this.#parts.isWithdrawn()),
      refusal: () => log.refusalSince(mark, master),
      isMasterAlive: () => nginx.isMaster(master),
      signal,
    });
    if (accepted.accepted) {
      const reload: ReloadTimes = { at, acceptedMs: Math.round(clock.monotonic() - since), settledMs: null };
      // An edited config answers the same hash, since the hash is a part of its text.
      const again = await files.writeAgain(config, writtenAt);
      if (!again.ok) return { kind: "failed", why: again.why, because: "disk" };
      if (again.changed && isSecond) return { kind: "failed", why: this.#editedReason(), because: "disk" };
      if (again.changed) return this.#reload(config, master, signal, true);
      this.#unsettled = { hash: config.hash, master, old, reload, since, writtenAt };
      // From now on nginx can be given this config back, and not the one before, whose server may be withdrawn.
      await files.keepAsGood(config);
      return this.#settle(config, this.#unsettled, signal);
    }
    const isRefusal = accepted.because === "refused" || accepted.because === "timeout";
    if (isRefusal && !isSecond) {
      const written = await files.write(config);
      if (written.ok && written.changed) return this.#reload(config, master, signal, true);
    }
    switch (accepted.because) {
      case "stopped":
        return { kind: "stopped", why: accepted.why };
      case "gone":
        return this.#withoutNginx(config, accepted.why);
      case "refused": {
        const outcome = await this.#rollBack(config, `nginx refused the config: ${accepted.why}`, true);
        // nginx loads nothing, so what it ran before is still proven.
        this.#proven = provenBefore && { ...provenBefore, writtenAt: await files.writtenAt() };
        return outcome;
      }
      case "timeout":
        if (nginx.hasPendingReload(master)) return { kind: "nginx_unresponsive", why: this.#pendingReason(master) };
        return this.#rollBack(config, `${this.#timeoutReason(accepted.why)}; ${log.hint}`, true);
    }
  }

  #editedReason(): string {
    return `another program changes ${this.#parts.files.configPath} while nginx loads it, so nginx may run what that program wrote: stop that program; the config is written and loaded again every few seconds`;
  }

  /** Nothing was refused: when the master runs again, it reads what is on the disk. So that stays. */
  #pendingReason(master: number): string {
    return `nginx' master (pid ${master}) has not taken the signal within ${DEADLINE_MS / 1000} s: it is stopped or slow; continue it (kill -CONT ${master}), or raise its CPU limit`;
  }

  #timeoutReason(why: string): string {
    return `nginx did not load the config within ${DEADLINE_MS / 1000} s of the signal (${why}): make sure that nginx' main config includes ${this.#parts.files.configPath}`;
  }

  async #settle(config: Config, unsettled: Unsettled, signal: AbortSignal): Promise<ApplyOutcome> {
    const { clock } = this.#parts;
    const { reload, since, writtenAt } = unsettled;
    const remaining = () => this.#remaining(unsettled);
    const left = await awaitSettled({ timeoutMs: SETTLE_WAIT_MS, clock, remaining, signal });
    if (left.length === 0) {
      const times = reload && { ...reload, settledMs: Math.round(clock.monotonic() - since) };
      return this.#settled(config, times, writtenAt);
    }
    if (signal.aborted) return { kind: "stopped", why: "the reloader is stopping" };
    // Not rolled back: nginx has accepted the config, and the previous one may point to a server that is being withdrawn.
    return { kind: "settling", reload, why: unsettledReason(left) };
  }

  async #remaining({ master, old }: Unsettled): Promise<Worker[]> {
    const { clock, nginx } = this.#parts;
    const list = () => this.#leaving.mayAnswer(nginx.workers(master, old.known), clock.monotonic());
    let workers = list();
    if (workers.some((worker) => old.isUnproven(worker, clock.monotonic()))) {
      const probe = await nginx.fetchHash();
      workers = list();
      old.note([probe], workers, clock.monotonic());
    }
    const left = old.among(workers, clock.monotonic());
    if (left.length === 0 || left.some((worker) => !worker.isLeaving) || !(await this.#hasOnlyAnswers())) return left;
    this.#leaving.end();
    return [];
  }

  /** Spares leaving workers the rest of their time. Asked seldom, since with idle clients the answer stays no. */
  async #hasOnlyAnswers(): Promise<boolean> {
    const { clock, nginx } = this.#parts;
    if (clock.monotonic() - this.#askedAt < ASK_CONNECTIONS_EVERY_MS) return false;
    const found = await nginx.hasOnlyAnswers();
    this.#askedAt = clock.monotonic();
    return found;
  }

  /** `writtenAt`: of the file that nginx has loaded. */
  async #settled(config: Config, reload: ReloadTimes | null, writtenAt: number | null): Promise<ApplyOutcome> {
    this.#unsettled = null;
    this.#unread = null;
    this.#proven = { hash: config.hash, writtenAt };
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
