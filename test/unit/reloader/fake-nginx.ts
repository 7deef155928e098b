// A fake nginx and its disk, on the test's clock. On SIGHUP it does what nginx does: it reads the config at once, its new
// workers answer after 5 ms, its old workers exit 100 ms later.

import type { ConfigDisk } from "../../../reloader/apply/config-files.ts";
import type { NginxControl } from "../../../reloader/nginx/control.ts";
import type { ErrorLog } from "../../../reloader/nginx/error-log.ts";
import type { HashProbe } from "../../../reloader/nginx/hash-probe.ts";
import type { Master } from "../../../reloader/nginx/master.ts";
import type { SignalResult } from "../../../reloader/nginx/processes.ts";
import type { Worker } from "../../../reloader/nginx/workers.ts";
import type { FakeClock } from "../../fakes/fake-clock.ts";

export const CONFIG = "/conf/default.conf";
export const GOOD = "/conf/default.conf.good";
export const STATE = "/conf/default.conf.state.json";

const HASH = /return 200 "([0-9a-f]{64})\\n";/;
const NEW_WORKERS_AFTER_MS = 5;
const OLD_WORKERS_LEAVE_MS = 100;

/** It answers from `from` on, takes no connection from `leavesAt` on, and exits at `until`. */
interface FakeWorker {
  pid: number;
  /** Of its config, which may have been edited: nginx answers what the config says. */
  hash: string | null;
  text: string;
  from: number;
  leavesAt: number;
  until: number;
  oldMaster: number | null;
}

export class FakeDisk implements ConfigDisk {
  readonly files = new Map<string, string>();
  /** When a file was written, by path; 0 for one that was there from the beginning. */
  readonly times = new Map<string, number>();
  /** Paths of all writes that changed something, oldest first. */
  readonly writes: string[] = [];
  /** Error codes by path. */
  readonly broken = new Map<string, string>();

  /** The folder does not exist. */
  gone = false;
  /** The volume has no room for a new file. */
  full = false;
  /** Called after each change. */
  onWrite: () => void = () => undefined;

  constructor(readonly now: () => number = () => 0) {}

  writtenAt = async (path: string): Promise<number> => this.times.get(path) ?? 0;

  read = async (path: string): Promise<string | null> => this.files.get(path) ?? null;

  write = async (path: string, text: string): Promise<{ changed: boolean }> => {
    const code = this.gone ? "ENOENT" : this.full && this.files.get(path) !== text ? "ENOSPC" : this.broken.get(path);
    if (code !== undefined) throw Object.assign(new Error(`${code}: ${path}`), { code });
    if (this.files.get(path) === text) return { changed: false };
    this.files.set(path, text);
    this.times.set(path, this.now());
    this.writes.push(path);
    this.onWrite();
    return { changed: true };
  };

  /** Takes no room. A broken file cannot be overwritten either, unless only room is missing. */
  overwrite = async (path: string, text: string): Promise<void> => {
    const broken = this.broken.get(path);
    const code = this.gone || !this.files.has(path) ? "ENOENT" : broken === "ENOSPC" ? undefined : broken;
    if (code !== undefined) throw Object.assign(new Error(`${code}: ${path}`), { code });
    this.files.set(path, text);
    this.times.set(path, this.now());
    this.writes.push(path);
    this.onWrite();
  };

  move = async (from: string, to: string): Promise<void> => {
    const text = this.files.get(from);
    if (text === undefined) throw Object.assign(new Error(`ENOENT: ${from}`), { code: "ENOENT" });
    this.files.delete(from);
    this.files.set(to, text);
    this.onWrite();
  };

  remove = async (path: string): Promise<void> => {
    this.files.delete(path);
  };

  removeStale = async (path: string): Promise<void> => {
    if (this.gone) throw Object.assign(new Error(`ENOENT: ${path}`), { code: "ENOENT" });
  };
}

export class FakeNginx implements NginxControl, ErrorLog {
  readonly hint = "see the log";
  readonly #clock: FakeClock;
  readonly #disk: FakeDisk;
  #master: number | null = null;
  #workers: FakeWorker[] = [];
  #pids = 100;
  #log: string[] = [];
  /** Signals that reached the master. */
  reloads = 0;
  /** Why it refuses every config; null: it accepts them. */
  refuses: string | null = null;
  /** Refuses configs that have this text. */
  refusesWith: string | null = null;
  /** It refuses every config and logs nothing. */
  refusesSilently = false;
  /** It exits at its start and logs nothing while its config has this text. */
  exitsWith: string | null = null;
  delivery: SignalResult = "sent";
  several = false;
  /** It does not answer in time. */
  hangs = false;
  /** Its master was stopped (SIGSTOP) and takes no signal until `resume`. */
  frozen = false;
  #pending = false;
  #loadsUntil = 0;
  #probes = 0;
  /** Its workers answer the probes in turns; otherwise the newest answers. */
  inTurns = false;
  /** Its template has the header with the worker's pid. */
  tellsPid = true;
  /** How many workers it has. */
  processes = 1;
  /** Old workers never begin to leave. */
  stuck = false;
  /** Old workers that leave still have a connection, which may be silent. */
  held = false;
  /** Every connection is waiting for its answer, none is silent. */
  onlyAnswers = false;
  /** Loading a config takes this long. */
  loadMs = NEW_WORKERS_AFTER_MS;

  constructor(clock: FakeClock, disk: FakeDisk) {
    this.#clock = clock;
    this.#disk = disk;
  }

  /** Starts it as its container does. It exits at once when it refuses its config. */
  start(): void {
    if (this.refuses !== null) {
      this.#log.push(this.refuses);
      return;
    }
    if (this.exitsWith !== null && this.#disk.files.get(CONFIG)?.includes(this.exitsWith)) return;
    this.#pids += 1;
    this.#master = this.#pids;
    this.#fork(0);
  }

  /** Upgrades it in place: the workers of the old master go on. */
  upgrade(): void {
    for (const worker of this.#workers) worker.oldMaster = this.#master;
    this.start();
  }

  /** Ends the old master of an upgrade. */
  quitOldMaster(): void {
    this.#workers = this.#workers.filter((worker) => worker.oldMaster === null);
  }

  /** A worker crashes and its master forks another one, with the config that it has loaded. */
  addWorker(): void {
    this.#workers.push(this.#worker(this.#workers.at(-1)?.text ?? "", 0));
  }

  /** Kills it and its workers. */
  kill(): void {
    this.#master = null;
    this.#workers = [];
    this.#pending = false;
    this.#loadsUntil = 0;
  }

  /** The hashes that its workers answer now, oldest worker first. */
  running(): (string | null)[] {
    return this.#answering().map((w) => w.hash);
  }

  /** The configs of its workers now, oldest worker first. */
  runningTexts(): string[] {
    return this.#answering().map((w) => w.text);
  }

  #answering(): FakeWorker[] {
    const now = this.#clock.now();
    return this.#workers.filter((w) => w.from <= now && now < w.leavesAt);
  }

  fetchHash = async (): Promise<HashProbe> => {
    if (this.hangs) return { kind: "silent", why: "nginx did not answer" };
    const answering = this.#answering();
    this.#probes += 1;
    const worker = this.inTurns ? answering[this.#probes % answering.length] : answering.at(-1);
    const hash = worker?.hash;
    if (worker === undefined || hash === undefined) return { kind: "closed", why: "nothing listens" };
    return hash === null
      ? { kind: "other", why: "404" }
      : { kind: "hash", hash, pid: this.tellsPid ? worker.pid : null };
  };

  hasOnlyAnswers = async (): Promise<boolean> => this.onlyAnswers;

  findMaster = async (): Promise<Master> => {
    if (this.several) return { found: "several", why: "there are 2 nginx masters" };
    return this.#master === null ? { found: "none", why: "nginx is not running" } : { found: "one", pid: this.#master };
  };

  isMaster = (pid: number): boolean => pid === this.#master;

  reload = (): SignalResult => {
    if (this.delivery !== "sent") return this.delivery;
    this.reloads += 1;
    this.signal();
    return "sent";
  };

  /** SIGHUP by anybody. While the master loads a config it takes no signal; it takes one afterwards. */
  signal(): void {
    if (this.frozen || this.#clock.now() < this.#loadsUntil) this.#pending = true;
    else this.#load();
  }

  #takePending(): void {
    if (!this.#pending || this.frozen || this.#clock.now() < this.#loadsUntil) return;
    this.#pending = false;
    this.#load();
  }

  /** The hashes of the workers that it is forking or will fork, and of those that may still answer a request to come. */
  mayAnswer(leavingMs: number): (string | null)[] {
    const now = this.#clock.now();
    const left = this.#workers.filter((w) => now < w.until && now < w.leavesAt + leavingMs);
    return left.map((w) => w.hash);
  }

  hasPendingReload = (): boolean => this.#pending;

  /** Continues the stopped master. */
  resume(): void {
    this.frozen = false;
    this.#takePending();
  }

  #load(): void {
    const isRefused = this.refusesWith !== null && this.#disk.files.get(CONFIG)?.includes(this.refusesWith) === true;
    if (this.refuses !== null) this.#log.push(this.refuses);
    else if (isRefused) this.#log.push(`invalid "${this.refusesWith}"`);
    else if (!this.refusesSilently) {
      const old = [...this.#workers];
      this.#fork(this.loadMs);
      this.#loadsUntil = this.#clock.now() + this.loadMs + OLD_WORKERS_LEAVE_MS;
      void this.#clock.sleep(this.loadMs + OLD_WORKERS_LEAVE_MS).then(() => this.#takePending());
      const leave = this.stuck ? Number.POSITIVE_INFINITY : this.#clock.now() + this.loadMs + OLD_WORKERS_LEAVE_MS;
      for (const worker of old.filter((one) => one.oldMaster === null)) {
        worker.leavesAt = Math.min(worker.leavesAt, leave);
        worker.until = Math.min(worker.until, this.held ? Number.POSITIVE_INFINITY : leave);
      }
    }
  }

  forbiddenReason = (): string => "nginx' master runs as UID 0 and this reloader as UID 1000";

  workers = (): Worker[] => {
    const now = this.#clock.now();
    const present = this.#workers.filter((w) => w.from <= now && now < w.until);
    return present.map(({ pid, from, leavesAt, oldMaster }) => ({
      pid,
      startedMs: from,
      isLeaving: now >= leavesAt,
      oldMaster,
    }));
  };

  startOf = (worker: Worker): number => worker.startedMs;

  /** Makes stuck workers exit, and leaving ones lose their connections. */
  release(): void {
    this.stuck = false;
    this.held = false;
    const newest = Math.max(...this.#workers.map((w) => w.from));
    const now = this.#clock.now();
    for (const worker of this.#workers) {
      if (worker.from < newest) Object.assign(worker, { leavesAt: Math.min(worker.leavesAt, now), until: now });
    }
  }

  mark = async () => ({ inode: 1, size: this.#log.length });
  refusalSince = async (mark: { size: number } | null): Promise<string | null> =>
    this.#log.slice(mark?.size ?? 0).at(-1) ?? null;

  #fork(afterMs: number): void {
    const text = this.#disk.files.get(CONFIG) ?? "";
    for (let i = 0; i < this.processes; i += 1) this.#workers.push(this.#worker(text, afterMs));
  }

  #worker(text: string, afterMs: number): FakeWorker {
    this.#pids += 1;
    const never = Number.POSITIVE_INFINITY;
    return {
      pid: this.#pids,
      hash: HASH.exec(text)?.[1] ?? null,
      text,
      from: this.#clock.now() + afterMs,
      leavesAt: never,
      until: never,
      oldMaster: null,
    };
  }
}
