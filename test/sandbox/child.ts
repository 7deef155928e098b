// One process of a sandbox, treated as a container would be: when its first process ends, the rest of its group ends
// too. Touches that process group alone.
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { createInterface } from "node:readline";
import { isGroupRunning } from "./process-table.ts";
import { until } from "./until.ts";

export interface ChildOptions {
  /** What messages call it. */
  name: string;
  /** Absolute path of the program, and its arguments. */
  command: readonly string[];
  /** The whole environment; nothing is inherited. */
  env: Readonly<Record<string, string>>;
  cwd: string;
  /** Sends stdout and stderr to this file. Without it they are pipes, whose lines are kept. */
  outputFile?: string;
}

/** How a process ended: one of the two is not null. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  /** What it wrote to stdout and stderr, without line ends, oldest first. Empty with `outputFile`. */
  readonly lines: readonly string[];
  /** Resolves when the process has ended and all its lines are there. */
  readonly exited: Promise<Exit>;
  /** Null while it runs. */
  exit(): Exit | null;
  /** Calls `listener` with each line from now on. */
  onLine(listener: (line: string) => void): void;
  /** Signals the process alone, not its children. False when it has ended already. */
  signal(signal: NodeJS.Signals): boolean;
  /** Ends it: SIGTERM, after `graceMs` SIGKILL for the whole group. Resolves when no process of the group is left. */
  stop(graceMs?: number): Promise<Exit>;
  /** SIGKILL for the whole group, without waiting: for the moment when this process itself is about to end. */
  killNow(): void;
}

// What is kept of a long-running process: enough for every test, and a bound on memory for a stack left running.
const KEPT_LINES = 20_000;
// Above the time that the programs themselves allow for their end (20 s for a mutation in flight is the longest).
const GRACE_MS = 25_000;
// A killed process is gone within milliseconds; only one that hangs in the kernel takes longer.
const GONE_MS = 5_000;

/** Starts a process in a group of its own, so that a Ctrl-C in the terminal does not reach it. Throws if it cannot. */
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
    // After "exit": the pipes are read to their end. Lines are handed over by readline one turn later.
    process_.once("close", () => setImmediate(() => resolve(ended ?? { code: null, signal: null })));
  });
  const pid = await new Promise<number>((resolve, reject) => {
    process_.once("error", (error) => reject(new Error(`${options.name} cannot be started: ${error.message}`)));
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
      await until(`${options.name} and its children have ended`, () => !isGroupRunning(pid), { timeoutMs: GONE_MS });
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
    // ESRCH: nobody is left in the group, which is what is wanted.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
