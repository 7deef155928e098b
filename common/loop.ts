// Runs passes one after the other until it is told to stop, and wakes it early. Touches nothing but what it is given.
import type { Clock } from "./clock.ts";

/** Wakes a loop that waits: `notify` ends the present or the next `wait`. */
export class WakeSignal {
  #notified = false;
  #waiter: AbortController | null = null;

  notify(): void {
    this.#notified = true;
    this.#waiter?.abort();
  }

  /** Resolves when it was notified since the last call, or after `ms`. */
  async wait(ms: number, clock: Clock): Promise<void> {
    if (!this.#notified) {
      this.#waiter = new AbortController();
      await clock.sleep(ms, this.#waiter.signal);
      this.#waiter = null;
    }
    this.#notified = false;
  }
}

export interface Passes {
  /** One pass; answers after how many ms the next one is due. */
  pass(signal: AbortSignal): Promise<number>;
  /** Told of a pass that threw. The loop goes on: an error of one moment must not end the program. */
  onError(error: unknown): void;
  /** A notification while a pass runs leads to one more pass, however many come. */
  wake: WakeSignal;
  clock: Clock;
}

// What throws is a defect of this program, not of a disk or a network: soon enough to recover, slow enough for the log.
const AFTER_ERROR_MS = 5_000;

/** Resolves after the pass during which `signal` is aborted. One pass runs at a time. */
export async function runPasses({ pass, onError, wake, clock }: Passes, signal: AbortSignal): Promise<void> {
  const stop = () => wake.notify();
  signal.addEventListener("abort", stop, { once: true });
  while (!signal.aborted) {
    let waitMs = AFTER_ERROR_MS;
    try {
      waitMs = await pass(signal);
    } catch (error) {
      onError(error);
    }
    if (!signal.aborted) await wake.wait(waitMs, clock);
  }
  signal.removeEventListener("abort", stop);
}
