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

/** `pidFile` null: the master is found by its title. */
export function nginxControl(
  processes: Processes,
  pidFile: PidFile | null,
  statusPort: number,
  clock: Clock,
): NginxControl {
  return {
    fetchHash: () => fetchConfigHash(statusPort, clock),
    hasOnlyAnswers: () => hasOnlyAnswers(statusPort, clock),
    findMaster: () => findMaster(processes, pidFile),
    isMaster: (pid) => isMaster(processes, pid),
    reload: (pid) => processes.reload(pid),
    hasPendingReload: (pid) => processes.hasPendingReload(pid),
    forbiddenReason: (pid) => forbiddenReason(processes, pid),
    workers: (master, known) => listWorkers(processes, master, known),
    startOf: ({ startedMs }) => clock.now() - (processes.uptimeMs() - startedMs),
  };
}
