// Time as a value that is handed in, so that tests and simulations own it. Touches the real clock only in `systemClock`.
import { setTimeout as delay } from "node:timers/promises";

/** Time source of a program. All instants are epoch milliseconds. */
export interface Clock {
  now(): number;
  /** Resolves after `ms`, or at once when `signal` is aborted (it never rejects: look at the signal afterwards). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Ms between two instants. Where the system's clock was put back they count too: nothing waits for a time to come again. */
export const elapsedMs = (since: number, now: number): number => Math.abs(now - since);

// Ends a deadline's own wait. Given as the reason, since abort() alone makes an exception with its stack each time.
const DONE = "done";

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    if (signal?.aborted) return;
    await delay(ms, undefined, signal ? { signal } : {}).catch((error: unknown) => {
      if (!signal?.aborted) throw error;
    });
  },
};

/**
 * Runs `work` with a signal that aborts after `ms` of `clock` or together with `parent`.
 * The deadline comes from the given clock, never from Node's own timers.
 */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  parent: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const done = new AbortController();
  // Not AbortSignal.any: a parent that lives as long as the program remembers each of its dependents, 60 bytes a call for ever.
  const follow = () => deadline.abort(parent?.reason);
  if (parent?.aborted) follow();
  parent?.addEventListener("abort", follow, { once: true });
  const expired = clock.sleep(ms, done.signal).then(() => {
    if (!done.signal.aborted) deadline.abort(new Error(`no answer within ${ms} ms`));
  });
  try {
    return await work(deadline.signal);
  } finally {
    parent?.removeEventListener("abort", follow);
    done.abort(DONE);
    await expired;
  }
}
