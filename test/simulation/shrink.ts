// Shortens a list of faults to those that are needed to break a law: delta debugging with a limit of runs. Pure but for the runs.
import type { Injection } from "./scenario.ts";

export interface Shrunk {
  injections: Injection[];
  runs: number;
  /** False if the limit was reached: a shorter list may exist. */
  done: boolean;
}

/**
 * The shortest list found that still `fails`. Leaves out parts of the list, first halves, then smaller parts, until no single
 * fault can be left out or `mostRuns` are used up. The limit counts runs, not seconds, so the result is the same on any machine.
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
