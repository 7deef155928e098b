// nginx as the reloader observes and reloads it: its master, its workers and the hash of its config. Touches processes and
// loopback through what it is given.
import type { Clock } from "../../common/clock.ts";
import { fetchConfigHash, type HashProbe } from "./hash-probe.ts";
import { findMaster, forbiddenReason, isMaster, type Master, type PidFile } from "./master.ts";
import type { Processes, SignalResult } from "./processes.ts";
import { answeringWorkers, stillAnswering } from "./workers.ts";

export interface NginxControl {
  /** The hash of the config that nginx runs. */
  fetchHash(): Promise<HashProbe>;
  findMaster(): Promise<Master>;
  isMaster(pid: number): boolean;
  reload(pid: number): SignalResult;
  /** The master has not taken the signal to reload yet. */
  hasPendingReload(pid: number): boolean;
  /** Why the master may not be signalled, with the remedy. */
  forbiddenReason(pid: number): string;
  answeringWorkers(master: number): number[];
  stillAnswering(workers: readonly number[]): number[];
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
    findMaster: () => findMaster(processes, pidFile),
    isMaster: (pid) => isMaster(processes, pid),
    reload: (pid) => processes.reload(pid),
    hasPendingReload: (pid) => processes.hasPendingReload(pid),
    forbiddenReason: (pid) => forbiddenReason(processes, pid),
    answeringWorkers: (master) => answeringWorkers(processes, master),
    stillAnswering: (workers) => stillAnswering(processes, workers),
  };
}
