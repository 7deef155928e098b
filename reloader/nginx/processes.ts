// The process table as the reloader needs it, and the one signal it sends. Touches /proc and, in `reload`, nginx.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** What became of a signal. */
export type SignalResult = "sent" | "gone" | "forbidden";

/** Processes by id. What cannot be seen (ended, or not ours to see) is null or left out: the table is never exact. */
export interface Processes {
  ids(): number[];
  /** The command line with blanks between its parts; nginx writes there what each process is. */
  title(pid: number): string | null;
  /** The name of the program that runs in it, which its title does not change. */
  program(pid: number): string | null;
  children(pid: number): number[];
  /** The effective user id. */
  owner(pid: number): number | null;
  /** What stands behind a file descriptor, as the kernel prints it: `/var/log/x`, `pipe:[7]`, `socket:[7]`. */
  descriptor(pid: number, fd: number): string | null;
  /** Sends SIGHUP, upon which nginx' master loads its config. */
  reload(pid: number): SignalResult;
  /** The user id of this process. */
  self(): number;
}

/** The real table. Reads are synchronous: /proc is memory, and a reload must not wait for a thread pool. */
export function systemProcesses(proc = "/proc"): Processes {
  const read = (...path: string[]) => ifThere(() => readFileSync(join(proc, ...path), "utf8"));
  const ids = () =>
    readdirSync(proc)
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  return {
    ids,
    title: (pid) => read(String(pid), "cmdline")?.replaceAll("\0", " ").trim() || null,
    program: (pid) => read(String(pid), "comm")?.trimEnd() || null,
    children: (pid) => {
      const listed = read(String(pid), "task", String(pid), "children");
      if (listed !== null) return listed.split(" ").filter(Boolean).map(Number);
      // Kernels without CONFIG_PROC_CHILDREN lack that file.
      return ids().filter((id) => field(read(String(id), "status"), "PPid") === pid);
    },
    owner: (pid) => field(read(String(pid), "status"), "Uid", 1),
    descriptor: (pid, fd) => ifThere(() => readlinkSync(join(proc, String(pid), "fd", String(fd)))),
    reload: (pid) => {
      try {
        process.kill(pid, "SIGHUP");
        return "sent";
      } catch (error) {
        if (codeOf(error) === "ESRCH") return "gone";
        if (codeOf(error) === "EPERM") return "forbidden";
        throw error;
      }
    },
    self: () => process.geteuid?.() ?? 0,
  };
}

/** A number out of `/proc/<pid>/status`; of several in a line the one at `index`. */
function field(status: string | null, name: string, index = 0): number | null {
  const values = status?.split("\n").find((line) => line.startsWith(`${name}:`));
  const value = values
    ?.slice(name.length + 1)
    .trim()
    .split(/\s+/)[index];
  return value === undefined ? null : Number(value);
}

const codeOf = (error: unknown) => (error instanceof Error && "code" in error ? error.code : undefined);

// ESRCH: ended while it was read. EACCES and EPERM: another user's process, about which /proc tells less.
function ifThere<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (["ENOENT", "ESRCH", "EACCES", "EPERM"].includes(String(codeOf(error)))) return null;
    throw error;
  }
}
