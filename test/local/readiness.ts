// Watches when the pod becomes ready and unready, as Kubernetes does. Sends requests to the proxy's port.
import type { Clock } from "../../common/clock.ts";

// Often enough to notice the replacement of an instance, which takes seconds.
const ASK_EVERY_MS = 100;
// An answer on loopback takes a millisecond, and longer while nginx reloads.
const ANSWER_MS = 2_000;

/** What answers a request to the pod: an instance (ready), nginx with a 503 (unready), or nothing (silent). */
export type Readiness = "ready" | "unready" | "silent";

/** Probes `url` until `over` is aborted and reports each change, from the first "ready" on. */
export async function watchReadiness(
  url: string,
  clock: Clock,
  over: AbortSignal,
  onChange: (readiness: Readiness) => void,
  probe: (url: string) => Promise<Readiness> = readinessOf,
): Promise<void> {
  let reported: Readiness | null = null;
  while (!over.aborted) {
    const now = await probe(url);
    if (over.aborted) return;
    if (now !== reported && (reported !== null || now === "ready")) {
      onChange(now);
      reported = now;
    }
    await clock.sleep(ASK_EVERY_MS, over);
  }
}

async function readinessOf(url: string): Promise<Readiness> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    await response.arrayBuffer(); // an unread body would keep its connection open
    return response.status === 200 ? "ready" : "unready";
  } catch {
    return "silent"; // nothing listens: nginx has not started yet, or is restarting
  }
}
