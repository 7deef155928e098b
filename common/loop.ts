// Runs one pass after another until it is stopped, and can be woken early. Touches only its parts.
import type { Clock } from "./clock.ts";

/** Wakes a waiting loop: `notify` makes the current `wait` return, or the next one. */
export class WakeSignal {
  #notified = false;
  #waiter = new AbortController(); // of each wait until one is ended by it: nearly all end by time

  notify(): void {
    this.#notified = true;
    this.#waiter.abort();
  }

  /** Resolves after `ms`, or earlier if there was a notification since the last call. */
  async wait(ms: number, clock: Clock): Promise<void> {
    if (!this.#notified) {
      if (this.#waiter.signal.aborted) this.#waiter = new AbortController();
      await clock.sleep(ms, this.#waiter.signal);
    }
    this.#notified = false;
  }
}

export interface LoopOptions {
  /** One pass. Returns after how many ms the next one is due. */
  pass(signal: AbortSignal): Promise<number>;
  /** Gets the error of a pass that threw. The loop continues: a temporary error must not stop the program. */
  onError(error: unknown): void;
  /** Notifications during a pass, however many, cause one more pass right after it. */
  wake: WakeSignal;
  clock: Clock;
}

// Passes handle the errors of disks and networks; what they throw is a defect. Short enough to recover soon, long enough for the log.
const AFTER_ERROR_MS = 5_000;

/** Runs passes, one at a time. Resolves after the pass or the wait during which `signal` is aborted. */
export async function runPasses({ pass, onError, wake, clock }: LoopOptions, signal: AbortSignal): Promise<void> {
  const wakeUp = () => wake.notify();
  signal.addEventListener("abort", wakeUp, { once: true });
  while (!signal.aborted) {
    let waitMs = AFTER_ERROR_MS;
    try {
      waitMs = await pass(signal);
    } catch (error) {
      onError(error);
    }
    if (!signal.aborted) await wake.wait(waitMs, clock);
  }
  signal.removeEventListener("abort", wakeUp);
}
