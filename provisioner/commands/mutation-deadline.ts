// When a running create or destroy is no longer awaited after the program was told to stop. Touches only the clock.
import type { Dependencies } from "./dependencies.ts";

// How long a running create or destroy is awaited after SIGTERM; Kubernetes grants 30 s by default.
const MUTATION_WAIT_MS = 20_000;

interface MutationDeadline {
  signal: AbortSignal;
  /** When `stop` was aborted, by the monotonic clock. */
  stoppedAt(): number;
  cancel(): void;
}

/** A signal that is aborted some time after `stop`, so that a running create or destroy cannot delay the exit for ever. */
export function mutationDeadline(stop: AbortSignal, { clock }: Dependencies): MutationDeadline {
  const deadline = new AbortController();
  const cancelled = new AbortController();
  let stoppedAt: number | null = null;
  const start = async () => {
    stoppedAt = clock.monotonic();
    await clock.sleep(MUTATION_WAIT_MS, cancelled.signal);
    deadline.abort(new Error("the program stops"));
  };
  stop.addEventListener("abort", start, { once: true });
  return {
    signal: deadline.signal,
    stoppedAt: () => stoppedAt ?? clock.monotonic(), // stopped before it began
    cancel: () => cancelled.abort(),
  };
}
