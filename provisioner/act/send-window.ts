// The time in which a mutation may be sent after it was decided. Touches only the clock.
import { type Clock, stopwatch } from "../../common/clock.ts";
import type { Fence } from "../../common/http.ts";
import { SEND_WITHIN_MS } from "../model/deadlines.ts";

/**
 * Opens the window: call it before the mutation is written down and the lease is renewed, so that both still hold while it is open. A
 * process that was paused meanwhile, however its clocks and timers took that, finds it closed.
 */
export function openSendWindow(clock: Clock): Fence {
  const elapsedMs = stopwatch(clock);
  return () => elapsedMs() < SEND_WITHIN_MS;
}
