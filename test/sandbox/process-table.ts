// Which processes run on this machine. Reads /proc, because `ps` may be missing. Zombies do not count: they have exited,
// and in a container without an init process they stay in the table for ever.
import { readdirSync, readFileSync } from "node:fs";

const GONE = new Set(["ENOENT", "ESRCH", "EACCES"]);

/** True while the process runs. */
export function isRunning(pid: number): boolean {
  return entry(String(pid)).running;
}

/** True while any process of the process group runs. */
export function isGroupRunning(group: number): boolean {
  return processes().some((pid) => {
    const { running, group: of } = entry(pid);
    return running && of === group;
  });
}

/** Ids of the running processes of this user whose command line or environment contains `text`. */
export function processesWith(text: string): number[] {
  const contains = (pid: string) => ["cmdline", "environ"].some((file) => read(`/proc/${pid}/${file}`).includes(text));
  return processes()
    .filter((pid) => entry(pid).running && contains(pid))
    .map(Number);
}

function processes(): string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
}

function entry(pid: string): { running: boolean; group: number } {
  const stat = read(`/proc/${pid}/stat`);
  // The fields after the command's name, which is in parentheses and may contain parentheses: state, parent, process group.
  const [state = "", , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { running: !["", "Z", "X"].includes(state), group: Number(group) };
}

/** The file's text; empty when the process has exited or belongs to another user. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && GONE.has(String(error.code))) return "";
    throw error;
  }
}
