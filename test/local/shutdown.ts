// Decides when the local stack ends: at the first wish politely, at the second one by force. Touches signal handlers.
import type { Clock } from "../../common/clock.ts";

export interface Shutdown {
  /** Aborted at the first wish to end. */
  readonly requested: AbortSignal;
  /** Wishes an end from within. The second wish calls `force`. */
  request(): void;
}

// npm passes on a Ctrl-C that the terminal has already delivered to the whole group: two signals for one key press,
// milliseconds apart. A person needs longer between two of them.
const SAME_KEY_PRESS_MS = 500;

/** Signals that ask a program to end: Ctrl-C, `kill`, a closed terminal. */
export const SHUTDOWN_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** An ending that counts wishes by `clock`; wishes within half a second of the first are the same one. */
export function createShutdown(clock: Clock, force: () => void): Shutdown {
  const requested = new AbortController();
  let firstAt: number | null = null;
  return {
    requested: requested.signal,
    request: () => {
      if (firstAt === null) {
        firstAt = clock.now();
        requested.abort(new Error("the local stack is to end"));
      } else if (clock.now() - firstAt >= SAME_KEY_PRESS_MS) {
        force();
      }
    },
  };
}
