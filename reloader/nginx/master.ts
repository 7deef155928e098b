// Which process is nginx' master, looked up afresh each time since nginx may have been restarted. Reads what it is given.
import type { Processes } from "./processes.ts";

/** `none` may become one by waiting; `several` never does and must not be guessed. */
export type Master = { found: "one"; pid: number } | { found: "none"; why: string } | { found: "several"; why: string };

export interface PidFile {
  path: string;
  /** The file's text, null when it is not there. Throws when it cannot be read. */
  read(): Promise<string | null>;
}

// nginx sets this title itself (ngx_master_process_cycle), after its signal handlers: a SIGHUP before would end it.
const MASTER_TITLE = /^nginx: master process\b/;
// A title is free to choose, and SIGHUP ends what does not expect it. The program's file would be the best proof, but
// /proc/<pid>/exe is hidden from other users, and this reloader may run as another one with CAP_KILL; `comm` is not.
// The stock image also has an nginx-debug.
const NGINX_PROGRAM = /^nginx/;

const UNSEEN = "this container cannot see it (shareProcessNamespace: true)";

export function isMaster(processes: Processes, pid: number): boolean {
  return MASTER_TITLE.test(processes.title(pid) ?? "") && NGINX_PROGRAM.test(processes.program(pid) ?? "");
}

/** Finds the master by the pid file if there is one to be, else by its title among all processes. */
export async function findMaster(processes: Processes, pidFile: PidFile | null): Promise<Master> {
  if (pidFile !== null) return byPidFile(processes, pidFile);
  const [pid, ...more] = processes.ids().filter((id) => isMaster(processes, id));
  if (pid === undefined) {
    return { found: "none", why: `no nginx master process is running, or ${UNSEEN}` };
  }
  if (more.length === 0) return { found: "one", pid };
  const all = [pid, ...more].join(", ");
  return { found: "several", why: `there are ${more.length + 1} nginx masters (pids ${all}): set NGINX_PID_FILE` };
}

async function byPidFile(processes: Processes, pidFile: PidFile): Promise<Master> {
  let text: string | null;
  try {
    text = await pidFile.read();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { found: "none", why: `the pid file ${pidFile.path} cannot be read: ${reason}` };
  }
  if (text === null) return { found: "none", why: `nginx is not running: there is no ${pidFile.path}` };
  const pid = /^\d{1,10}$/.test(text.trim()) ? Number(text) : 0;
  if (pid > 0 && isMaster(processes, pid)) return { found: "one", pid };
  const title = pid > 0 ? processes.title(pid) : null;
  const program = MASTER_TITLE.test(title ?? "") ? ` of the program ${JSON.stringify(processes.program(pid))}` : "";
  const found = title === null ? "no process has that id" : `that is ${JSON.stringify(title.slice(0, 80))}${program}`;
  const why = `${pidFile.path} names ${JSON.stringify(text.trim())}, but ${found}: no nginx master, or ${UNSEEN}`;
  return { found: "none", why };
}

/** Why the signal was refused and what to do about it. */
export function forbiddenReason(processes: Processes, pid: number): string {
  const owner = processes.owner(pid) ?? "another";
  return (
    `nginx' master (pid ${pid}) runs as UID ${owner} and this reloader as UID ${processes.self()}, so it may not be signalled: ` +
    `run both as one UID (securityContext.runAsUser: ${owner}), or give the reloader CAP_KILL`
  );
}
