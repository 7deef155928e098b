// nginx as the reloader observes and reloads it: its master, its workers and the hash of its config. Touches processes and
// loopback through what it is given.
import type { Clock } from "../../common/clock.ts";
import { fetchConfigHash, type HashProbe, hasOnlyAnswers } from "./hash-probe.ts";
import { findMaster, forbiddenReason, isMaster, type Master, type PidFile } from "./master.ts";
import type { Processes, SignalResult } from "./processes.ts";
import { listWorkers, type Worker } from "./workers.ts";

export interface NginxControl {
  /** The hash of the config that nginx runs. */
  fetchHash(): Promise<HashProbe>;
  /** No connection of any worker may still send a request. */
  hasOnlyAnswers(): Promise<boolean>;
  findMaster(): Promise<Master>;
  isMaster(pid: number): boolean;
  reload(pid: number): SignalResult;
  /** The master has not taken the signal to reload yet. */
  hasPendingReload(pid: number): boolean;
  /** Why the master may not be signalled, with the remedy. */
  forbiddenReason(pid: number): string;
  /** The workers of `master` and of older masters, and those of `known` that still run. */
  workers(master: number, known: readonly Worker[]): Worker[];
  /** When the worker started, epoch ms. Off by as much as the clock was set since then. */
  startOf(worker: Worker): number;
}

// Several parts of a pass ask for the master, and each search reads the title of every process.
const SEARCH_HOLDS_MS = 50;

/** `pidFile` null: the master is found by its title. A search that found one holds for 50 ms while that is still a master. */
export function nginxControl(
  processes: Processes,
  pidFile: PidFile | null,
  statusPort: number,
  clock: Clock,
): NginxControl {
  let last: { pid: number; at: number } | null = null;
  const search = async (): Promise<Master> => {
    if (last !== null && clock.monotonic() - last.at < SEARCH_HOLDS_MS && isMaster(processes, last.pid))
      return { found: "one", pid: last.pid };
    const at = clock.monotonic();
    const master = await findMaster(processes, pidFile);
    last = master.found === "one" ? { pid: master.pid, at } : null;
    return master;
  };
  return {
    fetchHash: () => fetchConfigHash(statusPort, clock),
    hasOnlyAnswers: () => hasOnlyAnswers(statusPort, clock),
    findMaster: search,
    isMaster: (pid) => isMaster(processes, pid),
    reload: (pid) => processes.reload(pid),
    hasPendingReload: (pid) => processes.hasPendingReload(pid),
    forbiddenReason: (pid) => forbiddenReason(processes, pid),
    workers: (master, known) => listWorkers(processes, master, known),
    startOf: ({ startedMs }) => clock.now() - (processes.uptimeMs() - startedMs),
  };
}
