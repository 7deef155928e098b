// Loaded before a program (`--import`): writes how late its event loop is, as one line of ms for each 5 s, the 99th percentile.
import { appendFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";

const RESOLUTION_MS = 20;
const file = process.env.VAST_POD_TEST_LOOP_DELAY;
if (file !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const write = () => {
    // It measures the time between two of its own timers.
    appendFileSync(file, `${Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION_MS).toFixed(2)}\n`);
    delay.reset();
  };
  setInterval(write, 5_000).unref();
}
