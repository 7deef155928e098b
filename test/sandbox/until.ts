// Polls a condition until it is met or a deadline passes. Touches only the clock that it is given.
import { type Clock, systemClock } from "../../common/clock.ts";

export interface UntilOptions {
  /** The deadline on a machine that has time, in ms of the clock. By the system's clock a busy one gets `BUSY_FACTOR` times as long. */
  timeoutMs?: number;
  /** Pause between two checks, in ms of the clock. */
  everyMs?: number;
  clock?: Clock;
  /** Text to add to the error, for example the last lines of a log. Called only when the deadline has passed. */
  context?: () => string | Promise<string>;
  /** Stops waiting early: throws the signal's reason. */
  signal?: AbortSignal;
}

// Long, because a machine with 2 busy cores needs seconds to start a few Node programs. A condition that is met does not wait.
const DEFAULT_TIMEOUT_MS = 15_000;
// Much shorter than a reload (tenths of a second), much longer than an HTTP request on loopback.
const DEFAULT_EVERY_MS = 50;
// How much longer the same work takes with twenty busy processes on 2 cores. A deadline is no assertion: it ends a wait that is in vain.
const BUSY_FACTOR = 4;

/**
 * Calls `condition` until it returns something other than false, null and undefined, and returns that value. A condition
 * that throws is not met yet. Throws when the deadline has passed: the message has `what`, the last error and the context.
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  options: UntilOptions = {},
): Promise<Exclude<T, false | null | undefined>> {
  const { everyMs = DEFAULT_EVERY_MS, clock = systemClock, signal } = options;
  const timeoutMs = (options.timeoutMs ?? DEFAULT_TIMEOUT_MS) * (clock === systemClock ? BUSY_FACTOR : 1);
  const start = clock.now();
  let lastError: unknown;
  for (;;) {
    signal?.throwIfAborted();
    try {
      const answer = await condition();
      if (isMet(answer)) return answer;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (clock.now() - start >= timeoutMs) break;
    await clock.sleep(everyMs, signal);
  }
  const reason = lastError === undefined ? "" : ` (${lastError instanceof Error ? lastError.message : lastError})`;
  const context = options.context === undefined ? "" : `\n${await options.context()}`;
  throw new Error(`timed out after ${timeoutMs} ms waiting until ${what}${reason}${context}`);
}

function isMet<T>(answer: T): answer is Exclude<T, false | null | undefined> {
  return answer !== false && answer !== null && answer !== undefined;
}
