// Notices when the process was paused: SIGSTOP, a suspended node, a pod that is swapped out. Touches only the clock.
import { type Clock, stopwatch } from "../../common/clock.ts";

export interface Pauses {
  /** Ms for which the process was paused since its start, up to a tick more each. Right at once when it continues, whatever runs first. */
  totalMs(): number;
}

// The interval between two ticks.
const TICK_MS = 3000;
/** A tick that comes this late was held up by a pause. A busy machine delays ticks by much less. */
export const PAUSE_MS = 10_000;

/** Ticks until `stop` is aborted. */
export function watchPauses(clock: Clock, stop: AbortSignal): Pauses {
  let totalMs = 0;
  let sinceTickMs = stopwatch(clock);
  const tick = () => {
    const ms = sinceTickMs();
    if (ms < PAUSE_MS) return;
    totalMs += ms;
    sinceTickMs = stopwatch(clock);
  };
  const run = async () => {
    while (!stop.aborted) {
      await clock.sleep(TICK_MS, stop);
      tick();
      sinceTickMs = stopwatch(clock);
    }
  };
  void run();
  return {
    totalMs() {
      tick();
      return totalMs;
    },
  };
}
