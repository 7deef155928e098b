// Whether nginx could be reloaded now, for `/status`: its master is found, and takes a signal of this user. Reads what it is given.
import type { NginxControl } from "./control.ts";
import type { Processes } from "./processes.ts";

/** `problem`: why nginx could not be reloaded, with the remedy; null when it could. */
export interface MasterStatus {
  pid: number | null;
  problem: string | null;
}

/** Sends no signal that has an effect. */
export async function masterStatus(
  nginx: Pick<NginxControl, "findMaster" | "forbiddenReason">,
  processes: Pick<Processes, "maySignal">,
): Promise<MasterStatus> {
  const master = await nginx.findMaster();
  if (master.found !== "one") return { pid: null, problem: master.why };
  const { pid } = master;
  return { pid, problem: processes.maySignal(pid) ? null : nginx.forbiddenReason(pid) };
}
