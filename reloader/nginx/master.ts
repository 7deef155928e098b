// Finds nginx' master process. Searches at each call, since nginx may have been restarted. Reads what it is given.
import { messageOf } from "../../common/errors.ts";
import type { Processes } from "./processes.ts";

/** Waiting may help with `none`. With `several` it does not, and none of them may be guessed. */
export type Master = { found: "one"; pid: number } | { found: "none"; why: string } | { found: "several"; why: string };

export interface PidFile {
  path: string;
  /** The file's text, null when there is no file. Throws when it cannot be read. */
  read(): Promise<string | null>;
}

// nginx sets this title itself (ngx_master_process_cycle), after its signal handlers: a SIGHUP before that would kill it.
const MASTER_TITLE = /^nginx: master process\b/;
// Any process can set such a title, and SIGHUP kills a program that does not handle it. The program's file would be the
// best proof, but /proc/<pid>/exe is hidden from other users, and this reloader may run as another user with CAP_KILL;
// `comm` is not hidden. The stock image also has a program nginx-debug.
const NGINX_PROGRAM = /^nginx/;

const UNSEEN = "this container cannot see it (set shareProcessNamespace: true)";

export function isMaster(processes: Processes, pid: number): boolean {
  return MASTER_TITLE.test(processes.title(pid) ?? "") && NGINX_PROGRAM.test(processes.program(pid) ?? "");
}

/** Finds the master by the pid file if the settings name one, else by its title among all processes. */
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
    return { found: "none", why: `the pid file ${pidFile.path} cannot be read: ${messageOf(error)}` };
  }
  if (text === null) return { found: "none", why: `nginx is not running: there is no ${pidFile.path}` };
  const pid = /^\d{1,10}$/.test(text.trim()) ? Number(text) : 0;
  if (pid > 0 && isMaster(processes, pid)) return { found: "one", pid };
  const title = pid > 0 ? processes.title(pid) : null;
  const program = MASTER_TITLE.test(title ?? "") ? ` in the program ${JSON.stringify(processes.program(pid))}` : "";
  const found = title === null ? "no process has that id" : `that is ${JSON.stringify(title.slice(0, 80))}${program}`;
  const why = `${pidFile.path} names ${JSON.stringify(text.trim())}, but ${found}: nginx' master is not running, or ${UNSEEN}`;
  return { found: "none", why };
}

/** Why the master may not be signalled, and what to do. */
export function forbiddenReason(processes: Processes, pid: number): string {
  const owner = processes.owner(pid) ?? "another";
  return (
    `nginx' master (pid ${pid}) runs as UID ${owner} and this reloader as UID ${processes.self()}, so it may not be signalled: ` +
    `run both as one UID (securityContext.runAsUser: ${owner}), or give the reloader CAP_KILL`
  );
}
