// Runs passes one after the other until it is told to end. Touches nothing but what it is given.
import type { Clock } from "../common/clock.ts";
import type { WakeSignal } from "./watch.ts";

export interface Loop {
  /** One pass; answers after how many ms the next one is due. */
  pass(signal: AbortSignal): Promise<number>;
  /** Hears of a pass that threw. The loop goes on: a fault of one moment must not end the proxy's upkeep. */
  onError(error: unknown): void;
  /** What rings while a pass runs leads to one more pass, however often it rings. */
  wake: WakeSignal;
  clock: Clock;
}

// What throws is a fault of this program, not of the disk or of nginx: soon enough to heal, slow enough for the log.
const AFTER_ERROR_MS = 5_000;

// The program has two seconds for its end. Several questions to an nginx that does not answer may hold a pass up for
// longer; it may be left at any moment, as every file is written whole and a restart begins with what is.
const LONGEST_END_MS = 1_500;

/** Resolves at most 1.5 s after `signal` is aborted. One pass runs at a time. */
export async function runLoop(loop: Loop, signal: AbortSignal): Promise<void> {
  const end = new Promise<void>((resolve) => {
    const begin = () => {
      loop.wake.notify();
      resolve(loop.clock.sleep(LONGEST_END_MS));
    };
    signal.addEventListener("abort", begin, { once: true });
  });
  await Promise.race([runPasses(loop, signal), end]);
}

async function runPasses({ pass, onError, wake: bell, clock }: Loop, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    let wait = AFTER_ERROR_MS;
    try {
      wait = await pass(signal);
    } catch (error) {
      onError(error);
    }
    if (!signal.aborted) await bell.wait(wait, clock);
  }
}
