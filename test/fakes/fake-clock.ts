// A clock that the test moves: time does not pass on its own. Touches nothing.
import type { Clock } from "../../common/clock.ts";

export interface FakeClock extends Clock {
  /** Moves time forward by `ms`; sleepers wake in order of time. */
  advance(ms: number): Promise<void>;
  /** Runs `work` to its end and moves time whenever nothing else can happen. `work` must do no real I/O. */
  drive<T>(work: Promise<T>): Promise<T>;
}

// After this many rounds of the event loop, work without I/O waits in a sleep.
const ROUNDS = 3;
// Work with more sleeps than this is an endless loop.
const MOST_SLEEPS = 10_000;

export function fakeClock(start = Date.UTC(2026, 10, 23, 15)): FakeClock {
  let now = start;
  const sleepers = new Set<{ at: number; wake: () => void }>();
  const atRest = async () => {
    for (let i = 0; i < ROUNDS; i += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  const next = () => [...sleepers].sort((a, b) => a.at - b.at)[0];
  const wakeUntil = async (end: number) => {
    for (let first = next(); first !== undefined && first.at <= end; first = next()) {
      now = Math.max(now, first.at);
      first.wake();
      await atRest();
    }
  };
  return {
    now: () => now,
    monotonic: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const sleeper = {
          at: now + ms,
          wake: () => {
            sleepers.delete(sleeper);
            signal?.removeEventListener("abort", sleeper.wake);
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", sleeper.wake, { once: true });
      }),
    async advance(ms) {
      const end = now + ms;
      await atRest();
      await wakeUntil(end);
      now = end;
    },
    async drive(work) {
      let settled = false;
      const done = () => {
        settled = true;
      };
      work.then(done, done);
      await atRest();
      for (let sleeps = 0; !settled; sleeps += 1) {
        const first = next();
        if (first === undefined) throw new Error("the work waits for something that is not the clock");
        if (sleeps > MOST_SLEEPS) throw new Error("the work sleeps for ever");
        await wakeUntil(first.at);
      }
      return work;
    },
  };
}
