// Tells when the pod begins and ceases to serve, as Kubernetes would see it. Touches the proxy's port.
import type { Clock } from "../../common/clock.ts";

// Often enough to see a replaced instance go by, which takes seconds.
const ASK_EVERY_MS = 100;
// An answer on loopback takes a millisecond; nginx that is about to reload may let one wait.
const ANSWER_MS = 2_000;

/** Asks `url` until `over` is aborted and tells each change. "No" is not told before the first "yes". */
export async function watchReadiness(
  url: string,
  clock: Clock,
  over: AbortSignal,
  tell: (ready: boolean) => void,
): Promise<void> {
  let told = false;
  while (!over.aborted) {
    const ready = await isReady(url);
    if (!over.aborted && ready !== told) tell(ready);
    told = ready;
    await clock.sleep(ASK_EVERY_MS, over);
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) })).status === 200;
  } catch {
    return false; // nobody listens yet, or nginx is being started again
  }
}
