// Cuts the list of what goes wrong down to what is needed for a law to fail: delta debugging, bounded in runs. Pure but for the runs.
import type { Injection } from "./scenario.ts";

export interface Shrunk {
  injections: Injection[];
  runs: number;
  /** False when the bound came before the end: a shorter list may exist. */
  done: boolean;
}

/**
 * The shortest list found that still `fails`. Parts of the list are left out, halves first, then ever smaller parts, until no
 * single one can go or `mostRuns` are used up. The bound is a number of runs and not of seconds: the answer is the same on any machine.
 */
export async function shrink(
  injections: readonly Injection[],
  fails: (injections: Injection[]) => Promise<boolean>,
  mostRuns: number,
): Promise<Shrunk> {
  let current = [...injections];
  let parts = 2;
  let runs = 0;
  while (current.length > 0) {
    const size = Math.ceil(current.length / parts);
    let shorter: Injection[] | null = null;
    for (let at = 0; at < current.length && shorter === null; at += size) {
      if (runs >= mostRuns) return { injections: current, runs, done: false };
      const rest = [...current.slice(0, at), ...current.slice(at + size)];
      runs += 1;
      if (await fails(rest)) shorter = rest;
    }
    if (shorter !== null) {
      current = shorter;
      parts = Math.max(2, parts - 1);
    } else if (size === 1) {
      break;
    } else {
      parts = Math.min(current.length, parts * 2);
    }
  }
  return { injections: current, runs, done: true };
}
