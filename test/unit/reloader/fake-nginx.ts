// A fake nginx and its disk, on the test's clock. On SIGHUP it does what nginx does: it reads the config at once, its new
// workers answer after 5 ms, its old workers exit 100 ms later.

import type { ConfigDisk } from "../../../reloader/apply/config-files.ts";
import type { NginxControl } from "../../../reloader/nginx/control.ts";
import type { ErrorLog } from "../../../reloader/nginx/error-log.ts";
import type { HashProbe } from "../../../reloader/nginx/hash-probe.ts";
import type { Master } from "../../../reloader/nginx/master.ts";
import type { SignalResult } from "../../../reloader/nginx/processes.ts";
import { readConfig } from "../../../reloader/render/render.ts";
import type { FakeClock } from "../../fakes/fake-clock.ts";

export const CONFIG = "/conf/default.conf";
export const GOOD = "/conf/default.conf.good";
export const STATE = "/conf/default.conf.state.json";

const NEW_WORKERS_AFTER_MS = 5;
const OLD_WORKERS_EXIT_MS = 105;

export class FakeDisk implements ConfigDisk {
  readonly files = new Map<string, string>();
  /** Paths of all writes that changed something, oldest first. */
  readonly writes: string[] = [];
  /** Error codes by path. */
  readonly broken = new Map<string, string>();

  /** The folder does not exist. */
  gone = false;

  read = async (path: string): Promise<string | null> => this.files.get(path) ?? null;

  write = async (path: string, text: string): Promise<{ changed: boolean }> => {
    const code = this.gone ? "ENOENT" : this.broken.get(path);
    if (code !== undefined) throw Object.assign(new Error(`${code}: ${path}`), { code });
    if (this.files.get(path) === text) return { changed: false };
    this.files.set(path, text);
    this.writes.push(path);
    return { changed: true };
  };

  move = async (from: string, to: string): Promise<void> => {
    const text = this.files.get(from);
    if (text === undefined) throw Object.assign(new Error(`ENOENT: ${from}`), { code: "ENOENT" });
    this.files.delete(from);
    this.files.set(to, text);
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
  #workers: { pid: number; hash: string | null; from: number; until: number }[] = [];
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
  /** Old workers never exit. */
  stuck = false;

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

  /** Kills it and its workers. */
  kill(): void {
    this.#master = null;
    this.#workers = [];
  }

  /** The hashes that its workers answer now, oldest worker first. */
  running(): (string | null)[] {
    const now = this.#clock.now();
    return this.#workers.filter((w) => w.from <= now && now < w.until).map((w) => w.hash);
  }

  fetchHash = async (): Promise<HashProbe> => {
    if (this.hangs) return { kind: "silent", why: "nginx did not answer" };
    const hash = this.running().at(-1);
    if (hash === undefined) return { kind: "closed", why: "nothing listens" };
    return hash === null ? { kind: "other", why: "404" } : { kind: "hash", hash };
  };

  findMaster = async (): Promise<Master> => {
    if (this.several) return { found: "several", why: "there are 2 nginx masters" };
    return this.#master === null ? { found: "none", why: "nginx is not running" } : { found: "one", pid: this.#master };
  };

  isMaster = (pid: number): boolean => pid === this.#master;

  reload = (): SignalResult => {
    if (this.delivery !== "sent") return this.delivery;
    this.reloads += 1;
    if (this.frozen) this.#pending = true;
    else this.#load();
    return "sent";
  };

  hasPendingReload = (): boolean => this.#pending;

  /** Continues the stopped master. */
  resume(): void {
    this.frozen = false;
    if (this.#pending) this.#load();
    this.#pending = false;
  }

  #load(): void {
    const isRefused = this.refusesWith !== null && this.#disk.files.get(CONFIG)?.includes(this.refusesWith) === true;
    if (this.refuses !== null) this.#log.push(this.refuses);
    else if (isRefused) this.#log.push(`invalid "${this.refusesWith}"`);
    else if (!this.refusesSilently) {
      const old = [...this.#workers];
      this.#fork(NEW_WORKERS_AFTER_MS);
      const leave = this.stuck ? Number.POSITIVE_INFINITY : this.#clock.now() + OLD_WORKERS_EXIT_MS;
      for (const worker of old) worker.until = Math.min(worker.until, leave);
    }
  }

  forbiddenReason = (): string => "nginx' master runs as UID 0 and this reloader as UID 1000";

  answeringWorkers = (): number[] => {
    const now = this.#clock.now();
    return this.#workers.filter((w) => w.from <= now && now < w.until).map((w) => w.pid);
  };

  stillAnswering = (workers: readonly number[]): number[] =>
    this.answeringWorkers().filter((pid) => workers.includes(pid));

  /** Makes stuck workers exit. */
  release(): void {
    this.stuck = false;
    const newest = Math.max(...this.#workers.map((w) => w.from));
    for (const worker of this.#workers) if (worker.from < newest) worker.until = this.#clock.now();
  }

  mark = async () => ({ inode: 1, size: this.#log.length });
  refusalSince = async (mark: { size: number } | null): Promise<string | null> =>
    this.#log.slice(mark?.size ?? 0).at(-1) ?? null;

  #fork(afterMs: number): void {
    const text = this.#disk.files.get(CONFIG);
    const hash = text === undefined ? null : (readConfig(text)?.hash ?? null);
    this.#pids += 1;
    this.#workers.push({
      pid: this.#pids,
      hash,
      from: this.#clock.now() + afterMs,
      until: Number.POSITIVE_INFINITY,
    });
  }
}
