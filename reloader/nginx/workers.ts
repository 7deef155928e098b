// Lists the workers that answer requests: those of the current master and those of older ones. Reads the process table.
import { isMaster } from "./master.ts";
import type { Processes } from "./processes.ts";

/** `pid` and `startedMs` together identify a process for good. */
export interface Worker {
  pid: number;
  /** Ms from the machine's start, in steps of 10 ms. */
  startedMs: number;
  /** It takes no new connection, but may still answer on those that it has. */
  isLeaving: boolean;
  /** After an upgrade in place: the old master that it belongs to. Null: it belongs to the current one. */
  oldMaster: number | null;
}

const WORKER = /^nginx: worker process\b/;
// nginx sets this title when a worker has stopped accepting and only finishes what it already has.
const SHUTTING_DOWN = /^nginx: worker process is shutting down\b/;
// A worker that was forked a moment ago still has the master's title.
const FORKED = /^nginx: master process\b/;

export const isSameWorker = (a: Worker, b: Worker) => a.pid === b.pid && a.startedMs === b.startedMs;

/** `known`: further workers to look for. They may have lost their master, and nothing tells such a worker to leave. */
export function listWorkers(processes: Processes, master: number, known: readonly Worker[]): Worker[] {
  const found = new Map<number, Worker>();
  const old = oldMasters(processes, master);
  const add = (pid: number, oldMaster: number | null) => {
    const title = processes.title(pid) ?? "";
    const startedMs = processes.startedMs(pid);
    const isWorker = WORKER.test(title) || FORKED.test(title);
    if (startedMs !== null && isWorker && pid !== master && !old.includes(pid))
      found.set(pid, { pid, startedMs, isLeaving: SHUTTING_DOWN.test(title), oldMaster });
  };
  for (const pid of processes.children(master)) add(pid, null);
  for (const one of old) for (const pid of processes.children(one)) add(pid, one);
  for (const { pid, startedMs, oldMaster } of known) {
    if (!found.has(pid) && processes.startedMs(pid) === startedMs) add(pid, oldMaster);
  }
  return [...found.values()];
}

/** An upgrade in place (SIGUSR2) starts the new master as a child of the old one, and both take requests. */
function oldMasters(processes: Processes, master: number): number[] {
  const found: number[] = [];
  for (let pid = processes.parent(master); pid !== null && isMaster(processes, pid); pid = processes.parent(pid)) {
    found.push(pid);
  }
  return found;
}
