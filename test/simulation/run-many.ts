// Runs many seeds on all cores, in child processes that get the next seed when they are done. Touches processes and a temporary
// folder.
import { type ChildProcess, fork } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { bundle, NODE_FLAGS } from "./bundle.ts";
import type { Verdict } from "./run-one.ts";
import { READY, type Task } from "./tasks.ts";

const verdictSchema = z.object({
  seed: z.int(),
  hash: z.string(),
  breaches: z.array(z.string()),
  money: z.object({ paid: z.number(), boot: z.number(), waste: z.number() }),
  servedShare: z.number(),
  causes: z.array(z.object({ cause: z.string(), boot: z.number(), waste: z.number() })),
  timeline: z.array(z.string()),
  shortest: z.array(z.string()),
});

/** The verdicts of all tasks, in order. Calls `onVerdict` as each arrives. Rejects when a child fails. */
export async function runMany(tasks: readonly Task[], onVerdict: (verdict: Verdict) => void): Promise<Verdict[]> {
  const folder = await mkdtemp(join(tmpdir(), "vast-pod-simulation-"));
  const children: ChildProcess[] = [];
  try {
    const program = join(folder, "worker.mjs");
    await bundle(new URL("worker.ts", import.meta.url), program);
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
    await rm(folder, { recursive: true, force: true }); // they have loaded it, so nothing is left if this program is killed
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
  /** Resolves when the child has exited with code 0 and no task is left. */
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
      else reject(new Error(`a worker exited with ${signal === null ? `code ${code}` : `signal ${signal}`}`));
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
