// A sandbox: a temporary folder, ports and real processes that all go away together, however the test or the local
// stack ends. Touches its folder, its ports and its own processes.
import { rmSync } from "node:fs";
import { mkdir, mkdtemp, realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Child, startChild } from "./child.ts";
import { parentDeathSignal } from "./parent-death-signal.ts";
import { claimPorts } from "./ports.ts";
import { type Environment, findProgram } from "./programs.ts";
/** The checkout. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface StartOptions {
  /** What messages call it. */
  name: string;
  /** A name that is looked up (nginx, redis-server), or an absolute path. */
  program: string;
  args: readonly string[];
  /** Added to PATH, HOME and TMPDIR, the only other variables that it gets. */
  env?: Readonly<Record<string, string>>;
  /** Sends its output to this file instead of pipes. */
  outputFile?: string;
}

export interface Sandbox {
  /** Absolute path without symbolic links; readable by its owner alone. */
  readonly folder: string;
  /** A free port that no other sandbox on this machine gets. */
  port(): Promise<number>;
  /** Makes a folder below `folder` and returns its path. */
  subfolder(name: string): Promise<string>;
  start(options: StartOptions): Promise<Child>;
  /** Starts a Node program of the checkout: `args` begin with its path, like `dist/reloader.mjs`. */
  node(name: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Child>;
  /** Ends all its processes, the youngest first, removes the folder and gives the ports back. May be called twice. */
  close(): Promise<void>;
  /** The same at once and by force, for a process that is about to end. */
  closeNow(): void;
}

// Tests do not wait for a polite end longer than this; what is polite is tested where a program's end is the subject.
const CLOSE_GRACE_MS = 3_000;

/**
 * Opens a sandbox. Call `close` in `afterEach`; should the process end without it, the sandbox goes with it all the same
 * (after a SIGKILL the processes only, the folder stays). `env` is where programs are looked for; children see only its PATH.
 */
export async function openSandbox(prefix = "vast-pod-test-", env: Environment = process.env): Promise<Sandbox> {
  const ports = await claimPorts();
  const folder = await realpath(await mkdtemp(join(tmpdir(), prefix)));
  const children: Child[] = [];
  const commandPrefix = parentDeathSignal(env);
  const base = { PATH: env.PATH ?? "/usr/local/bin:/usr/bin:/bin", HOME: folder, TMPDIR: folder };
  const closeNow = () => {
    for (const child of children) if (child.exit() === null) child.killNow();
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", closeNow);
  const start = async (options: StartOptions) => {
    const { name, args, outputFile } = options;
    const output = outputFile === undefined ? {} : { outputFile };
    const command = [...commandPrefix, findProgram(options.program, env), ...args];
    const child = await startChild({ name, command, cwd: ROOT, env: { ...base, ...options.env }, ...output });
    children.push(child);
    return child;
  };
  return {
    folder,
    port: () => ports.take(),
    subfolder: async (name) => {
      const path = join(folder, name);
      await mkdir(path, { recursive: true });
      return path;
    },
    start,
    node: (name, args, more = {}) => start({ name, program: process.execPath, args, env: more }),
    close: async () => {
      try {
        for (const child of children.toReversed()) await child.stop(CLOSE_GRACE_MS);
      } finally {
        closeNow();
        await ports.release();
        process.off("exit", closeNow);
      }
    },
    closeNow,
  };
}
