// Decides how the local stack shuts down: in order at the first request, at once at the second. Touches nothing.
import type { Clock } from "../../common/clock.ts";

export interface Shutdown {
  /** Aborted at the first request. */
  readonly requested: AbortSignal;
  /** Requests the shutdown, as a signal does. The second request calls `force`. */
  request(): void;
}

// The terminal sends Ctrl-C to the whole process group, and npm forwards it again: one key press becomes two signals,
// milliseconds apart. A person needs longer to press twice.
const SAME_KEY_PRESS_MS = 500;

/** Signals that request a shutdown: Ctrl-C, `kill`, a closed terminal. */
export const SHUTDOWN_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Requests within half a second of the first count as the same one. */
export function createShutdown(clock: Clock, force: () => void): Shutdown {
  const requested = new AbortController();
  let firstAt: number | null = null;
  return {
    requested: requested.signal,
    request: () => {
      if (firstAt === null) {
        firstAt = clock.now();
        requested.abort(new Error("the local stack is shutting down"));
      } else if (clock.now() - firstAt >= SAME_KEY_PRESS_MS) {
        force();
      }
    },
  };
}
