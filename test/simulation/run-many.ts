// Many seeds on all cores: child processes that ask for the next seed when they are done. Touches processes and a temporary folder.
import { type ChildProcess, fork } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { z } from "zod";
import type { Verdict } from "./run-one.ts";

/** What a child is told. */
export const taskSchema = z.object({
  seed: z.int(),
  hours: z.number(),
  pods: z.int(),
  shrinkRuns: z.int(),
});
export type Task = z.infer<typeof taskSchema>;

const verdictSchema = z.object({
  seed: z.int(),
  hash: z.string(),
  breaches: z.array(z.string()),
  money: z.object({ paid: z.number(), boot: z.number(), waste: z.number() }),
  timeline: z.array(z.string()),
  shortest: z.array(z.string()),
});

const READY = "ready";
// Much is made and dropped: a larger nursery saves a tenth of the time, and so do errors without their stacks.
const NODE_FLAGS = ["--max-semi-space-size=64", "--stack-trace-limit=2"];
// A program that is bundled from CommonJS packages needs `require` for Node's own modules.
const BANNER = `import { createRequire as __createRequire } from "node:module";
const require = __createRequire(import.meta.url);`;

/** Verdicts of all tasks in their order. `told` is called as each comes in. Rejects when a child fails. */
export async function runMany(tasks: readonly Task[], onVerdict: (verdict: Verdict) => void): Promise<Verdict[]> {
  const folder = await mkdtemp(join(tmpdir(), "vast-pod-simulation-"));
  const children: ChildProcess[] = [];
  try {
    const program = join(folder, "worker.mjs");
    await bundle(program);
    const waiting = [...tasks];
    const verdicts = new Map<number, Verdict>();
    const note = (verdict: Verdict) => {
      verdicts.set(verdict.seed, verdict);
      onVerdict(verdict);
    };
    const workers = Array.from({ length: Math.min(availableParallelism(), tasks.length) }, () => {
      const child = fork(program, { stdio: ["ignore", "inherit", "inherit", "ipc"], execArgv: NODE_FLAGS });
      children.push(child);
      return runTasks(child, waiting, note);
    });
    await Promise.all(workers.map((worker) => worker.ready));
    await rm(folder, { recursive: true, force: true }); // it is in their memory now, and nothing stays if this program is killed
    await Promise.all(workers.map((worker) => worker.done));
    return tasks.flatMap((task) => verdicts.get(task.seed) ?? []);
  } finally {
    for (const child of children) child.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Worker {
  /** Resolves when the child has read its program. */
  ready: Promise<void>;
  /** Resolves when the child has ended well, with no task left. */
  done: Promise<void>;
}

function runTasks(child: ChildProcess, waiting: Task[], note: (verdict: Verdict) => void): Worker {
  const next = () => {
    const task = waiting.shift();
    if (task === undefined) child.disconnect();
    else child.send(task);
  };
  const done = new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`a worker ended with ${signal === null ? `code ${code}` : `signal ${signal}`}`));
    });
  });
  const begun = new Promise<void>((resolve) => {
    child.on("message", (message) => {
      if (message === READY) resolve();
      else note(verdictSchema.parse(message));
      next();
    });
  });
  return { ready: Promise.race([begun, done]), done };
}

/** One file starts in a fraction of the time that a loader needs for a hundred. */
async function bundle(outfile: string): Promise<void> {
  await build({
    entryPoints: [fileURLToPath(new URL("worker.ts", import.meta.url))],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    banner: { js: BANNER },
    logLevel: "warning",
  });
}

/** The child's side: works on one task after another until the parent lets go. */
export function runTasksOfParent(work: (task: Task) => Promise<Verdict>): void {
  process.send?.(READY);
  process.on("message", (message) => {
    work(taskSchema.parse(message)).then(
      (verdict) => process.send?.(verdict),
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
        process.exit(1);
      },
    );
  });
  process.on("disconnect", () => process.exit(0));
}
