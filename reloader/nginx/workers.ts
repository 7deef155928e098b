// Finds the workers that still answer with the config from before a reload. Reads the process table.
import type { Processes } from "./processes.ts";

const WORKER = /^nginx: worker process\b/;
// nginx sets this title when a worker has stopped accepting and only finishes the requests that it already has.
const SHUTTING_DOWN = /^nginx: worker process is shutting down\b/;

const answers = (title: string | null) => title !== null && WORKER.test(title) && !SHUTTING_DOWN.test(title);

// A worker that was forked a moment ago still has the master's title.
const FORKED = /^nginx: master process\b/;

/** The master's workers that take requests now or will do so in a moment. Call it before the signal. */
export function answeringWorkers(processes: Processes, master: number): number[] {
  return processes.children(master).filter((pid) => {
    const title = processes.title(pid);
    return answers(title) || FORKED.test(title ?? "");
  });
}

/** Those of `workers` that have neither exited nor begun to shut down. */
export function stillAnswering(processes: Processes, workers: readonly number[]): number[] {
  return workers.filter((pid) => answers(processes.title(pid)));
}
