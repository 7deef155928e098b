// A clock on which sleeping costs no time: it jumps to the end of each sleep, and keeps the list of them.
import type { Clock } from "../../common/clock.ts";

export interface SteppingClock extends Clock {
  readonly sleeps: number[];
  advance(ms: number): void;
}

export function steppingClock(): SteppingClock {
  let now = 0;
  const sleeps: number[] = [];
  return {
    sleeps,
    now: () => now,
    advance: (ms) => {
      now += ms;
    },
    sleep: async (ms, signal) => {
      if (signal?.aborted) return;
      sleeps.push(ms);
      now += ms;
    },
  };
}
