// Runs the reloader's passes and bounds the time that its stop takes. Touches nothing but what it is given.
import { type LoopOptions, runPasses } from "../common/loop.ts";

// The program has two seconds to stop. Several probes of an nginx that does not answer can make a pass take longer. A pass
// may be left at any moment: every file is written whole, and a restart begins with the observed state.
const STOP_WAIT_MS = 1_500;

/** Resolves at most 1.5 s after `signal` is aborted. One pass runs at a time. */
export async function runReloaderPasses(passes: LoopOptions, signal: AbortSignal): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(passes.clock.sleep(STOP_WAIT_MS)), { once: true });
  });
  await Promise.race([runPasses(passes, signal), stopped]);
}
