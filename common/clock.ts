// Time as a value that is passed in, so that tests and simulations control it. Only `systemClock` touches the real clock.

/** Time source of a program. */
export interface Clock {
  /** Epoch ms, for what is shown and stored. It jumps when somebody sets the system's clock. */
  now(): number;
  /** Ms of a clock that never jumps, for every wait and every deadline. Its zero has no meaning. */
  monotonic(): number;
  /** Resolves after `ms`, or immediately when `signal` is aborted. Never rejects: check the signal afterwards. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Ms between two instants, in either order: after the system's clock was set back, nothing waits until it has caught up. */
export const elapsedMs = (since: number, now: number): number => Math.abs(now - since);

/**
 * Starts a stopwatch: the returned function answers the ms since then. The monotonic clock of a suspended machine stands still, and the
 * system's clock can be set back: the clock that has advanced more counts.
 */
export function stopwatch({ now, monotonic }: Pick<Clock, "now" | "monotonic">): () => number {
  const [at, ticks] = [now(), monotonic()];
  return () => Math.max(now() - at, monotonic() - ticks);
}

// Abort reason for a deadline's own sleep. Without a reason, each abort() creates an exception with a stack trace.
const DONE = "done";

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  // Not node:timers/promises: it makes an error with a stack trace for each wait that ends early, and most deadlines end early.
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal?.addEventListener("abort", end, { once: true });
    }),
};

/**
 * Runs `work` with a signal that aborts after `ms` of `clock` or together with `parent`.
 * The deadline uses the given clock, never Node's timers.
 */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  parent: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const done = new AbortController();
  // Not AbortSignal.any: a parent that lives as long as the program would keep 60 bytes per call forever.
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
