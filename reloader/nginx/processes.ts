// The process table as the reloader needs it, and the one signal that it sends. Reads /proc; `reload` signals nginx.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { codeOf } from "../../common/errors.ts";

/** `gone`: the process has exited. `forbidden`: this user may not signal it. */
export type SignalResult = "sent" | "gone" | "forbidden";

/** Processes by id. A process that has exited or that this user may not see is null or left out. */
export interface Processes {
  ids(): number[];
  /** The command line, joined with blanks. nginx writes there which kind of process it is. */
  title(pid: number): string | null;
  /** The name of the program, which does not depend on the title. */
  program(pid: number): string | null;
  children(pid: number): number[];
  parent(pid: number): number | null;
  /** When the process started: ms from the machine's start, in steps of 10 ms. */
  startedMs(pid: number): number | null;
  /** Ms from the machine's start until now. */
  uptimeMs(): number;
  /** The effective user id. */
  owner(pid: number): number | null;
  /** What a file descriptor points to, in the kernel's words: `/var/log/x`, `pipe:[7]`, `socket:[7]`. */
  descriptor(pid: number, fd: number): string | null;
  /** Sends SIGHUP, which makes nginx' master reload its config. */
  reload(pid: number): SignalResult;
  /** Whether this user may signal the process; true for one that has exited. */
  maySignal(pid: number): boolean;
  /** Such a signal was sent and the process has not taken it yet. */
  hasPendingReload(pid: number): boolean;
  /** The user id of this process. */
  self(): number;
}

// The kernel counts starts in USER_HZ, which is 100 per second on every platform of the official images.
const TICK_MS = 10;

/** The real table. Reads are synchronous, because /proc is in memory and a reload must not wait for a thread pool. */
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
    parent: (pid) => field(read(String(pid), "status"), "PPid"),
    startedMs: (pid) => {
      const stat = read(String(pid), "stat");
      // The program's name is in parentheses and may itself contain some. The start is the 20th field after it.
      const ticks = stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
      return ticks === undefined ? null : Number(ticks) * TICK_MS;
    },
    uptimeMs: () => Number.parseFloat(read("uptime") ?? "") * 1000,
    owner: (pid) => field(read(String(pid), "status"), "Uid", 1),
    descriptor: (pid, fd) => ifThere(() => readlinkSync(join(proc, String(pid), "fd", String(fd)))),
    reload: (pid) => signal(pid, "SIGHUP"),
    maySignal: (pid) => signal(pid, 0) !== "forbidden",
    hasPendingReload: (pid) => {
      const status = read(String(pid), "status");
      // Hexadecimal masks of the signals sent to the process and to its thread; SIGHUP is the lowest bit.
      return ["SigPnd", "ShdPnd"].some((mask) => /[13579bdf]$/i.test(fieldText(status, mask) ?? ""));
    },
    self: () => process.geteuid?.() ?? 0,
  };
}

/** Signal 0 has no effect: it only shows what another one would do. */
function signal(pid: number, name: "SIGHUP" | 0): SignalResult {
  try {
    process.kill(pid, name);
    return "sent";
  } catch (error) {
    if (codeOf(error) === "ESRCH") return "gone";
    if (codeOf(error) === "EPERM") return "forbidden";
    throw error;
  }
}

/** A number from `/proc/<pid>/status`; `index` selects one of several in a line. */
function field(status: string | null, name: string, index = 0): number | null {
  const value = fieldText(status, name)?.split(/\s+/)[index];
  return value === undefined ? null : Number(value);
}

/** The text of a line of `/proc/<pid>/status` after its name. */
function fieldText(status: string | null, name: string): string | undefined {
  const line = status?.split("\n").find((one) => one.startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim();
}

// ESRCH: the process exited during the read. EACCES and EPERM: it belongs to another user.
function ifThere<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (["ENOENT", "ESRCH", "EACCES", "EPERM"].includes(codeOf(error) ?? "")) return null;
    throw error;
  }
}
