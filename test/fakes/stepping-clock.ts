// A clock that jumps to the end of each sleep at once, and records the sleeps.
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
    monotonic: () => now,
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
