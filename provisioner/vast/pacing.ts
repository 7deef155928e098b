// When the next call of an endpoint may start: the API limits each endpoint by a minimum interval. Touches only the clock.
import type { Clock } from "../../common/clock.ts";
import type { VastError } from "./errors.ts";

// Documented minimum intervals in ms, per endpoint. Shorter ones are answered with 429, and a 429 on a create costs 12 s.
const INTERVALS_MS: Readonly<Record<string, number>> = {
  create: 4500,
  destroy: 3000,
  list: 1000,
  template: 3000,
  search: 6000, // ten a minute
  user: 1000,
};
const PENALTY_MS: Readonly<Record<string, number>> = { create: 12_000 };
// A 429 that names no time: long enough for every documented interval.
const UNNAMED_WAIT_MS = 5000;
// A longer interval that a 429 has named counts this long: the maintainers change them now and then, in both directions.
const LEARNED_FOR_MS = 600_000;
// The longest spread after repeated refusals: a minute is what the search's limit looks at, the longest of all.
const WIDEST_SPREAD_MS = 60_000;
// After an outage nobody comes back at the same instant. A pass waits for its buckets, and 20 s is one call's deadline.
const OUTAGE_FIRST_MS = 2000;
const OUTAGE_CEILING_MS = 20_000;

export interface Pacing {
  /** Resolves when a call of this endpoint may start (or when `signal` is aborted). */
  acquire(endpoint: string, signal?: AbortSignal): Promise<void>;
  /** Epoch ms before which a call of this endpoint would have to wait. */
  availableAt(endpoint: string): number;
  /** Lets no call of this endpoint start before `until` (epoch ms). */
  blockUntil(endpoint: string, until: number): void;
  /** Notes that a call was answered. */
  succeeded(endpoint: string): void;
  /** Notes that a call failed: who was refused as too frequent or got no answer waits, longer each time. */
  failed(endpoint: string, error: Pick<VastError, "kind" | "retryAfterMs" | "thresholdMs">): void;
}

interface Bucket {
  availableAt: number;
  intervalMs: number;
  learned: { intervalMs: number; until: number } | null;
  /** Refusals, or calls without an answer, in a row. */
  refusals: number;
  outages: number;
}

/** One bucket per endpoint, process-wide. `random` answers 0 to 1. */
export function createPacing(clock: Clock, random: () => number): Pacing {
  const buckets = new Map<string, Bucket>();
  const bucketOf = (name: string): Bucket => {
    const known = buckets.get(name);
    if (known !== undefined) return known;
    const bucket = { availableAt: 0, intervalMs: INTERVALS_MS[name] ?? 1000, learned: null, refusals: 0, outages: 0 };
    buckets.set(name, bucket);
    return bucket;
  };
  const intervalOf = ({ intervalMs, learned }: Bucket) =>
    learned !== null && learned.until > clock.now() ? Math.max(learned.intervalMs, intervalMs) : intervalMs;
  const close = (bucket: Bucket, waitMs: number) => {
    bucket.availableAt = Math.max(bucket.availableAt, clock.now() + waitMs);
  };
  let latest = 0;
  /** Where the clock was set back, what was to be waited stays as long as it was. */
  const withClock = (name: string): Bucket => {
    const now = clock.now();
    if (now < latest) for (const bucket of buckets.values()) bucket.availableAt -= latest - now;
    latest = now;
    return bucketOf(name);
  };

  return {
    availableAt: (name) => withClock(name).availableAt,
    blockUntil(name, until) {
      const bucket = withClock(name);
      bucket.availableAt = Math.max(bucket.availableAt, until);
    },
    async acquire(name, signal) {
      const bucket = withClock(name);
      const now = clock.now();
      const start = Math.max(now, bucket.availableAt);
      bucket.availableAt = start + intervalOf(bucket);
      if (start > now) await clock.sleep(start - now, signal);
    },
    succeeded(name) {
      Object.assign(withClock(name), { refusals: 0, outages: 0 });
    },
    failed(name, { kind, retryAfterMs, thresholdMs }) {
      const bucket = withClock(name);
      if (kind === "rate_limited") {
        if (thresholdMs !== null && thresholdMs > intervalOf(bucket))
          bucket.learned = { intervalMs: thresholdMs, until: clock.now() + LEARNED_FOR_MS };
        bucket.refusals += 1;
        close(bucket, refusalWaitMs(retryAfterMs, PENALTY_MS[name] ?? 0, bucket.refusals, random));
      } else if (kind === "unavailable" || kind === "malformed") {
        bucket.outages += 1;
        close(bucket, outageWaitMs(bucket.outages, random));
      } else {
        Object.assign(bucket, { refusals: 0, outages: 0 }); // it was answered
      }
    },
  };
}

/**
 * The wait after so many refusals in a row: what the API asks for, and a spread of the same length that doubles.
 * Neighbours with the same key share the limit, and those who were refused together must not come back together.
 */
export function refusalWaitMs(
  retryAfterMs: number | null,
  penaltyMs: number,
  refusals: number,
  random: () => number,
): number {
  const least = Math.max(retryAfterMs ?? UNNAMED_WAIT_MS, penaltyMs);
  return least + random() * Math.min(least * 2 ** (refusals - 1), WIDEST_SPREAD_MS);
}

/** The wait after so many calls without an answer: anywhere from now to a ceiling that doubles. */
export function outageWaitMs(outages: number, random: () => number): number {
  return random() * Math.min(OUTAGE_FIRST_MS * 2 ** (outages - 1), OUTAGE_CEILING_MS);
}
