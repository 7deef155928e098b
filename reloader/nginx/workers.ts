// Which workers still answer with the config that was there before a reload. Reads the process table.
import type { Processes } from "./processes.ts";

const WORKER = /^nginx: worker process\b/;
// nginx titles a worker so once it has stopped accepting: what it still does is finish requests it already has.
const LEAVING = /^nginx: worker process is shutting down\b/;

const answers = (title: string | null) => title !== null && WORKER.test(title) && !LEAVING.test(title);

// What nginx has forked a moment ago still bears the master's title.
const FORKED = /^nginx: master process\b/;

/** The master's workers that take requests now or are about to. Read them before the signal. */
export function answeringWorkers(processes: Processes, master: number): number[] {
  return processes.children(master).filter((pid) => {
    const title = processes.title(pid);
    return answers(title) || FORKED.test(title ?? "");
  });
}

/** Those of `workers` that have neither left nor begun to. */
export function stillAnswering(processes: Processes, workers: readonly number[]): number[] {
  return workers.filter((pid) => answers(processes.title(pid)));
}
