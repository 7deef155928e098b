// Tells when the pod begins and ceases to serve, as Kubernetes would see it. Touches the proxy's port.
import type { Clock } from "../../common/clock.ts";

// Often enough to see a replaced instance go by, which takes seconds.
const ASK_EVERY_MS = 100;
// An answer on loopback takes a millisecond; nginx that is about to reload may let one wait.
const ANSWER_MS = 2_000;

/** What a request to the pod would meet: an instance, nginx alone (503), or nobody who listens. */
export type Readiness = "ready" | "unready" | "silent";

/** Asks `url` until `over` is aborted and tells each change. Nothing is told before the first "ready". */
export async function watchReadiness(
  url: string,
  clock: Clock,
  over: AbortSignal,
  tell: (readiness: Readiness) => void,
  look: (url: string) => Promise<Readiness> = readinessOf,
): Promise<void> {
  let told: Readiness | null = null;
  while (!over.aborted) {
    const now = await look(url);
    if (over.aborted) return;
    if (now !== told && (told !== null || now === "ready")) {
      tell(now);
      told = now;
    }
    await clock.sleep(ASK_EVERY_MS, over);
  }
}

async function readinessOf(url: string): Promise<Readiness> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    await response.arrayBuffer(); // an unread body keeps its connection
    return response.status === 200 ? "ready" : "unready";
  } catch {
    return "silent"; // nobody listens yet, or nginx is being started again
  }
}
