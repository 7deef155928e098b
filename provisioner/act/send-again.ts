// Sends a call that may be repeated again when it came too soon after another one. Touches what the call touches.
import { VastError } from "../vast/errors.ts";

/** `mostTries` in all, until `deadline` is aborted. Each waits for its rate limit. */
export async function sendAgain(send: () => Promise<void>, mostTries: number, deadline: AbortSignal): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await send();
    } catch (error) {
      const tooFrequent = error instanceof VastError && error.kind === "rate_limited";
      if (!tooFrequent || tries === mostTries || deadline.aborted) throw error;
    }
  }
}
