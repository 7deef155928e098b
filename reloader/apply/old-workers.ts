// Decides which workers of nginx may still answer with an earlier config after a reload. Touches nothing: time and the list of
// workers are arguments.
import type { HashProbe } from "../nginx/hash-probe.ts";
import { isSameWorker, type Worker } from "../nginx/workers.ts";

// The workers of one reload are forked within milliseconds, and nginx pauses 100 ms before its next reload
// (ngx_master_process_cycle). So one that is older by more than this belongs to an earlier config.
const SIBLINGS_MS = 50;
// On a machine without time for it, nginx forks the workers of one reload further apart, and the kernel may give every connection to
// the same one, so that the other never answers. nginx tells the workers of an earlier config to leave 100 ms after it has forked the
// new ones: one that still takes connections this long afterwards is a new one.
const TOLD_TO_LEAVE_MS = 2_000;
// A worker that is leaving may answer a connection from before with its config: one that was idle waits for at most 2 s for a
// request (keepalive_min_timeout), and any may take 5 s to send its head (client_header_timeout). Later it only finishes answers.
export const LEAVING_MS = 7_500;

/** Until when workers that are leaving may answer. It outlives a reload: a worker may take minutes to finish its answers. */
export class LeavingTimes {
  #until = new Map<string, number>();

  /** Those of `workers` that may still answer a request that has not arrived yet. */
  mayAnswer(workers: readonly Worker[], now: number): Worker[] {
    const leaving = workers.filter((worker) => worker.isLeaving);
    this.#until = new Map(leaving.map((one) => [keyOf(one), this.#until.get(keyOf(one)) ?? now + LEAVING_MS]));
    return workers.filter((worker) => now < (this.#until.get(keyOf(worker)) ?? Number.POSITIVE_INFINITY));
  }

  /** None of the workers that were leaving can answer a further request. */
  end(): void {
    for (const key of this.#until.keys()) this.#until.set(key, Number.NEGATIVE_INFINITY);
  }
}

const keyOf = ({ pid, startedMs }: Worker) => `${pid} ${startedMs}`;

/** What is known about nginx' workers since a reload. */
export class OldWorkers {
  readonly #hash: string;
  readonly #before: readonly Worker[];
  readonly #proven: Worker[] = [];
  readonly #others: Worker[] = [];
  /** The oldest new worker that answered the hash. */
  #answeredBy: Worker | null = null;
  /** When the first of them answered, by the monotonic clock. */
  #answeredAt = Number.POSITIVE_INFINITY;

  /** `before`: the workers before the signal. */
  constructor(hash: string, before: readonly Worker[]) {
    this.#hash = hash;
    this.#before = before;
  }

  /** Workers that must be looked for, even if they are no children of the master any more. */
  get known(): readonly Worker[] {
    return [...this.#before, ...this.#others];
  }

  /** Records who answered what at `now`, by the monotonic clock. True: a worker that is newer than the signal runs the config. */
  note(probes: readonly HashProbe[], workers: readonly Worker[], now: number): boolean {
    let accepted = false;
    for (const probe of probes) {
      if (probe.kind !== "hash") continue;
      const worker = workers.find(({ pid }) => pid === probe.pid);
      if (probe.hash !== this.#hash) {
        if (worker !== undefined) addTo(this.#others, worker);
      } else if (worker === undefined) {
        // Who has exited since proves nothing: it may be an old worker, since the same config can come back after another one.
        if (probe.pid !== null) continue;
        // An own template without the header.
        accepted ||= workers.some((one) => !one.isLeaving && one.oldMaster === null && !this.#wasBefore(one));
      } else {
        addTo(this.#proven, worker);
        if (this.#wasBefore(worker)) continue;
        accepted = true;
        this.#answeredAt = Math.min(this.#answeredAt, now);
        if (this.#answeredBy === null || worker.startedMs < this.#answeredBy.startedMs) this.#answeredBy = worker;
      }
    }
    return accepted;
  }

  /** Those of `workers` that may run an earlier config. */
  among(workers: readonly Worker[], now: number): Worker[] {
    return workers.filter((worker) => {
      if (worker.isLeaving || worker.oldMaster !== null || this.#wasBefore(worker)) return true;
      return this.#others.some((one) => isSameWorker(one, worker)) || this.isUnproven(worker, now);
    });
  }

  /** It has not answered yet, and is too old for a sibling of the one that has: only its answer shows which config it runs. */
  isUnproven(worker: Worker, now: number): boolean {
    if (
      this.#answeredBy === null ||
      now - this.#answeredAt > TOLD_TO_LEAVE_MS ||
      this.#proven.some((one) => isSameWorker(one, worker))
    )
      return false;
    return worker.startedMs < this.#answeredBy.startedMs - SIBLINGS_MS;
  }

  #wasBefore(worker: Worker): boolean {
    return this.#before.some((one) => isSameWorker(one, worker));
  }
}

function addTo(list: Worker[], worker: Worker): void {
  if (!list.some((one) => isSameWorker(one, worker))) list.push(worker);
}

/** Why nginx is not settled, with the remedy; null when only connections from before the reload are waited for. */
export function unsettledReason(left: readonly Worker[]): string | null {
  const answering = left.filter((worker) => !worker.isLeaving);
  const pids = answering.map(({ pid }) => pid).join(", ");
  const master = answering.find(({ oldMaster }) => oldMaster !== null)?.oldMaster;
  if (answering.length === 0) return null;
  return master == null
    ? `nginx runs the new config, but old workers (pids ${pids}) still answer with the previous one: if they stay, end them (kill -KILL)`
    : `nginx was upgraded in place, and its old master still has workers (pids ${pids}), which do not follow the upstream file: end that master (kill -QUIT ${master})`;
}
