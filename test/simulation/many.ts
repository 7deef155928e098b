// Many seeds on all cores: one child process each, which asks for the next seed when it is done. Touches processes.
import { type ChildProcess, fork } from "node:child_process";
import { z } from "zod";
import type { Verdict } from "./trial.ts";

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
  story: z.array(z.string()),
  shortest: z.array(z.string()),
});

/** Verdicts of all tasks in the order of the tasks. `told` is called as each comes in. Rejects when a child fails. */
export async function runMany(
  program: string,
  tasks: readonly Task[],
  processes: number,
  told: (verdict: Verdict) => void,
): Promise<Verdict[]> {
  const verdicts = new Map<number, Verdict>();
  const waiting = [...tasks];
  const children: ChildProcess[] = [];
  const work = () =>
    new Promise<void>((resolve, reject) => {
      const child = fork(program, ["--worker"], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
      children.push(child);
      const next = () => {
        const task = waiting.shift();
        if (task === undefined) child.disconnect();
        else child.send(task);
      };
      child.on("message", (message) => {
        const verdict = verdictSchema.parse(message);
        verdicts.set(verdict.seed, verdict);
        told(verdict);
        next();
      });
      child.on("error", reject);
      child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with code ${code}`))));
      next();
    });
  try {
    await Promise.all(Array.from({ length: Math.min(processes, tasks.length) }, work));
  } finally {
    for (const child of children) child.kill();
  }
  return tasks.flatMap((task) => verdicts.get(task.seed) ?? []);
}

/** The child's side: works on one task after another until the parent lets go. */
export function serveTasks(work: (task: Task) => Promise<Verdict>): void {
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
