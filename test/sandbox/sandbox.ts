// A sandbox: a temporary folder, ports and real processes that are cleaned up together, however the test or the local
// stack ends. Touches only its folder, its ports and its processes.
import { rmSync } from "node:fs";
import { mkdir, mkdtemp, realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Child, startChild } from "./child.ts";
import { parentDeathSignal } from "./parent-death-signal.ts";
import { claimPorts } from "./ports.ts";
import { type Environment, findProgram } from "./programs.ts";

/** The checkout's folder. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface StartOptions {
  /** Its name in messages. */
  name: string;
  /** A name to find in the PATH (nginx, redis-server), or an absolute path. */
  program: string;
  args: readonly string[];
  /** Variables in addition to PATH, HOME and TMPDIR. Nothing else is inherited. */
  env?: Readonly<Record<string, string>>;
  /** Writes its output to this file instead of pipes. */
  outputFile?: string;
}

export interface Sandbox {
  /** Absolute path without symbolic links. Only its owner can read it. */
  readonly folder: string;
  /** A free port that no other sandbox on this machine gets. */
  port(): Promise<number>;
  /** Creates a folder inside `folder` and returns its path. */
  subfolder(name: string): Promise<string>;
  start(options: StartOptions): Promise<Child>;
  /** Starts a Node program of the checkout. `args` starts with its path, for example `dist/reloader.mjs`. */
  node(name: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Child>;
  /** Stops all processes, the newest first, removes the folder and releases the ports. Can be called twice. */
  close(): Promise<void>;
  /** Does the same at once with SIGKILL: for use just before this process exits. */
  closeNow(): void;
}

// How long `close` waits after SIGTERM. Tests about a program's shutdown call `stop` with a longer wait.
const CLOSE_GRACE_MS = 3_000;

/**
 * Opens a sandbox. Call `close` in `afterEach`. If this process exits without that, the sandbox is cleaned up all the same
 * (after a SIGKILL only its processes; the folder stays). Programs are found with `env`; children inherit only its PATH.
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
