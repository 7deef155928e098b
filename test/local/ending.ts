// Decides when the local stack ends: at the first wish politely, at the second one by force. Touches signal handlers.
import type { Clock } from "../../common/clock.ts";

export interface Ending {
  /** Aborted at the first wish to end. */
  readonly wished: AbortSignal;
  /** Wishes an end from within. The second wish calls `force`. */
  wish(): void;
}

// npm passes on a Ctrl-C that the terminal has already delivered to the whole group: two signals for one key press,
// milliseconds apart. A person needs longer between two of them.
const ONE_PRESS_MS = 500;

/** Signals that ask a program to end: Ctrl-C, `kill`, a closed terminal. */
export const ENDING_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** An ending that counts wishes by `clock`; wishes within half a second of the first are the same one. */
export function createEnding(clock: Clock, force: () => void): Ending {
  const wished = new AbortController();
  let firstAt: number | null = null;
  return {
    wished: wished.signal,
    wish: () => {
      if (firstAt === null) {
        firstAt = clock.now();
        wished.abort(new Error("the local stack is to end"));
      } else if (clock.now() - firstAt >= ONE_PRESS_MS) {
        force();
      }
    },
  };
}
