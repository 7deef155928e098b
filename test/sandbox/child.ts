// One process of a sandbox, handled as a container is: when its first process exits, the rest of its process group is
// killed. Touches only that process group.
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { createInterface } from "node:readline";
import { isGroupRunning } from "./process-table.ts";
import { until } from "./until.ts";

export interface ChildOptions {
  /** Its name in messages. */
  name: string;
  /** Absolute path of the program, and its arguments. */
  command: readonly string[];
  /** The complete environment: nothing is inherited. */
  env: Readonly<Record<string, string>>;
  cwd: string;
  /** Where stdout and stderr are written. Without it they are pipes, and their lines are kept in `lines`. */
  outputFile?: string;
}

/** How a process ended: exactly one of the two is null. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  /** The lines of stdout and stderr without line ends, oldest first. Empty with `outputFile`. */
  readonly lines: readonly string[];
  /** Resolves when the process has exited and all its lines have been read. */
  readonly exited: Promise<Exit>;
  /** Null while the process runs. */
  exit(): Exit | null;
  /** Calls `listener` with every line from now on. */
  onLine(listener: (line: string) => void): void;
  /** Sends a signal to the process, not to its children. False if it has already exited. */
  signal(signal: NodeJS.Signals): boolean;
  /** Sends SIGTERM, and SIGKILL to the whole group after `graceMs`. Resolves when the group has no processes left. */
  stop(graceMs?: number): Promise<Exit>;
  /** Sends SIGKILL to the whole group and does not wait: for use just before this process itself exits. */
  killNow(): void;
}

// Lines kept of a long-running process: enough for every test, and a memory limit for a stack that is left running.
const KEPT_LINES = 20_000;
// More than the programs themselves need to shut down (the longest wait is 20 s, for a mutation in flight).
const GRACE_MS = 25_000;
// A killed process disappears within milliseconds, unless it hangs in the kernel.
const GONE_MS = 5_000;

/** Starts a process in a new process group, so that Ctrl-C in the terminal does not reach it. Throws if it cannot start. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const file = options.outputFile === undefined ? null : openSync(options.outputFile, "a", 0o644);
  const [program = "", ...args] = options.command;
  const process_ = spawn(program, args, {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: file === null ? ["ignore", "pipe", "pipe"] : ["ignore", file, file],
  });
  if (file !== null) closeSync(file);
  const lines: string[] = [];
  const listeners: ((line: string) => void)[] = [];
  const keep = (line: string) => {
    lines.push(line);
    if (lines.length > KEPT_LINES) lines.shift();
    for (const listener of listeners) listener(line);
  };
  for (const stream of [process_.stdout, process_.stderr]) {
    if (stream !== null) createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on("line", keep);
  }
  let ended: Exit | null = null;
  const exited = new Promise<Exit>((resolve) => {
    process_.once("exit", (code, signal) => {
      ended = { code, signal };
      killGroup(process_.pid);
    });
    // "close" follows "exit" when the pipes have been read to the end; readline delivers the last lines one turn later.
    process_.once("close", () => setImmediate(() => resolve(ended ?? { code: null, signal: null })));
  });
  const pid = await new Promise<number>((resolve, reject) => {
    process_.once("error", (error) => reject(new Error(`${options.name} cannot start: ${error.message}`)));
    process_.once("spawn", () => {
      if (process_.pid !== undefined) resolve(process_.pid);
    });
  });
  return {
    name: options.name,
    pid,
    lines,
    exited,
    exit: () => ended,
    onLine: (listener) => listeners.push(listener),
    signal: (signal) => ended === null && process_.kill(signal),
    stop: async (graceMs = GRACE_MS) => {
      if (ended === null) process_.kill("SIGTERM");
      const timer = setTimeout(() => killGroup(pid), graceMs);
      const exit = await exited.finally(() => clearTimeout(timer));
      await until(`${options.name} and its children have exited`, () => !isGroupRunning(pid), { timeoutMs: GONE_MS });
      return exit;
    },
    killNow: () => killGroup(pid),
  };
}

function killGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, "SIGKILL");
  } catch (error) {
    // ESRCH: the group has no processes left, which is the goal.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
