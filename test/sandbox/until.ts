// Waits for a condition by asking again and again until a deadline. Touches nothing but the clock that it is given.
import { type Clock, systemClock } from "../../common/clock.ts";

export interface UntilOptions {
  /** How long to ask, in ms of the clock. */
  timeoutMs?: number;
  /** Pause between two questions, in ms of the clock. */
  everyMs?: number;
  clock?: Clock;
  /** What the error says besides: the last lines of a log, for one. Asked only when time is up. */
  context?: () => string | Promise<string>;
  /** Ends the waiting early with the signal's reason. */
  signal?: AbortSignal;
}

// Generous: a machine with 2 busy cores needs seconds to start a few Node programs, and a passing wait costs nothing.
const DEFAULT_TIMEOUT_MS = 15_000;
// Short against the tenths of a second that a reload takes, long against the cost of an HTTP request on loopback.
const DEFAULT_EVERY_MS = 50;

/**
 * Asks `condition` until it answers something other than false, null and undefined, and returns that.
 * A condition that throws counts as not yet fulfilled. Throws when time is up: the message has `what` it waited for,
 * the last error of the condition and the context.
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  options: UntilOptions = {},
): Promise<Exclude<T, false | null | undefined>> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, everyMs = DEFAULT_EVERY_MS, clock = systemClock, signal } = options;
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
  throw new Error(`waited ${timeoutMs} ms in vain until ${what}${reason}${context}`);
}

function isMet<T>(answer: T): answer is Exclude<T, false | null | undefined> {
  return answer !== false && answer !== null && answer !== undefined;
}
