// How long the next create waits after a failure. Pure.
import { exponentialMs } from "../../common/backoff.ts";
import type { Backoff, State } from "./schema.ts";

const MINUTE_MS = 60_000;
// The wait doubles from the first to the ceiling. Offers come back within minutes; a broken image needs a person.
const BACKOFF_MS: Readonly<Record<Backoff["reason"], { first: number; ceiling: number }>> = {
  no_offer: { first: 30_000, ceiling: 10 * MINUTE_MS },
  offers_lost: { first: 5000, ceiling: MINUTE_MS },
  create_refused: { first: 30_000, ceiling: 10 * MINUTE_MS },
  create_rate_limited: { first: 5000, ceiling: 2 * MINUTE_MS },
  image_unavailable: { first: MINUTE_MS, ceiling: 30 * MINUTE_MS },
  disk_too_small: { first: MINUTE_MS, ceiling: 30 * MINUTE_MS },
  app_not_listening: { first: 10 * MINUTE_MS, ceiling: 120 * MINUTE_MS },
};
/** The longest wait of all. */
export const LONGEST_BACKOFF_MS = Math.max(...Object.values(BACKOFF_MS).map(({ ceiling }) => ceiling));

/**
 * Makes the next create wait, longer with each failure of the same kind for the same revision. `counted` is the number of failures
 * where the state counts them elsewhere: a search without offers between two of them must not make the waits short again.
 */
export function backOff(
  state: State,
  reason: Backoff["reason"],
  message: string,
  revision: string,
  now: number,
  counted?: number,
): State {
  const { first, ceiling } = BACKOFF_MS[reason];
  const before = state.backoff;
  const inARow = before?.reason === reason && before.wanted === revision ? before.failures + 1 : 1;
  const failures = counted ?? inARow;
  const until = now + exponentialMs(first, ceiling, failures);
  return { ...state, backoff: { reason, message, failures, until, wanted: revision } };
}
