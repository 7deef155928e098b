// Rate limiter: decides when the next call of an endpoint may start. The API sets a minimum interval for each endpoint. Touches only
// the clock.
import { exponentialMs } from "../../common/backoff.ts";
import type { Clock } from "../../common/clock.ts";
import type { VastError } from "./errors.ts";

// Documented minimum intervals in ms, per endpoint. A shorter interval is answered with 429, and a 429 on a create costs 12 s.
export const INTERVALS_MS: Readonly<Record<string, number>> = {
  create: 4500,
  destroy: 3000,
  update_template: 2000,
  bid_price: 5500,
  recycle: 1000,
  manage: 1000,
  list: 1000,
  show: 2000,
  template: 3000,
  template_write: 3000, // no documented number: that of the search
  search: 6000, // ten a minute
  user: 1000,
  price_increases: 2000,
  accept_price: 2000, // no documented number: that of the reading
  charges: 1000,
};
export const PENALTY_MS: Readonly<Record<string, number>> = { create: 12_000 };
// For a 429 without a time: longer than nearly every documented interval.
export const DEFAULT_REFUSAL_WAIT_MS = 5000;
// How long a longer interval from a 429 is kept: the vendor changes the intervals from time to time, in both directions.
const LEARNED_INTERVAL_TTL_MS = 600_000;
// The largest random extra wait after repeated refusals: one minute, the window of the search limit, which is the longest.
const MAX_JITTER_MS = 60_000;
// After an outage the pods must not return at the same instant. A pass waits for its buckets; 20 s is the deadline of one call.
const OUTAGE_FIRST_MS = 2000;
const OUTAGE_CEILING_MS = 20_000;

/**
 * Which of several calls goes first, where pods share a limit: one for all pods, then one on which something depends that is about to be
 * changed, then one whose caller comes back soon anyway.
 */
export type Precedence = "for_all" | "needed" | "soon_again";

export interface Pacing {
  /**
   * Resolves with 0 when a call of this endpoint may start, or when `signal` is aborted; or with the ms that it would still have to wait,
   * where that is longer than such a call may take. Without `precedence` the call is needed.
   */
  acquire(endpoint: string, signal?: AbortSignal, precedence?: Precedence): Promise<number>;
  /**
   * The last wait of a call that changes something: its connection is open, so that the call leaves in the tick in which this resolves.
   * Resolves as well when `signal` is aborted.
   */
  takeTurn(endpoint: string, signal?: AbortSignal): Promise<void>;
  /** Called when such a call leaves. The API counts from its arrival, so the next one is to leave an interval after this. */
  left(endpoint: string): void;
  /** Epoch ms before which a call of this endpoint would have to wait. */
  availableAt(endpoint: string): number;
  /** Prevents calls of this endpoint from starting before `until` (epoch ms). */
  blockUntil(endpoint: string, until: number): void;
  /** Records that a call was answered. */
  succeeded(endpoint: string): void;
  /** Records that a call failed. After a 429, or without an answer, the next call waits, longer each time. */
  failed(endpoint: string, error: Pick<VastError, "kind" | "retryAfterMs" | "thresholdMs">): void;
}

interface Bucket {
  availableAt: number;
  intervalMs: number;
  learned: { intervalMs: number; until: number } | null;
  /** 429s in a row. */
  refusals: number;
  /** Calls without a usable answer in a row. */
  outages: number;
}

/** One bucket per endpoint, shared by the whole process. `random` returns 0 to 1. */
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
  const block = (bucket: Bucket, waitMs: number) => {
    bucket.availableAt = Math.max(bucket.availableAt, clock.now() + waitMs);
  };
  let latest = 0;
  /** When the clock was set back, the remaining waits keep their length. */
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
      return 0;
    },
    takeTurn: async () => undefined,
    left(name) {
      const bucket = withClock(name);
      block(bucket, intervalOf(bucket));
    },
    succeeded(name) {
      Object.assign(withClock(name), { refusals: 0, outages: 0 });
    },
    failed(name, { kind, retryAfterMs, thresholdMs }) {
      const bucket = withClock(name);
      if (kind === "rate_limited") {
        if (thresholdMs !== null && thresholdMs > intervalOf(bucket))
          bucket.learned = { intervalMs: thresholdMs, until: clock.now() + LEARNED_INTERVAL_TTL_MS };
        bucket.refusals += 1;
        block(bucket, refusalWaitMs(retryAfterMs, PENALTY_MS[name] ?? 0, bucket.refusals, random));
      } else if (kind === "unavailable" || kind === "malformed") {
        bucket.outages += 1;
        block(bucket, outageWaitMs(bucket.outages, random));
      } else {
        Object.assign(bucket, { refusals: 0, outages: 0 }); // the API answered
      }
    },
  };
}

/**
 * The wait after so many 429s in a row: what the API asks for, plus a random part (jitter) whose maximum starts at the same length
 * and doubles. Pods with the same key share the limit: pods that were refused together must not return together.
 */
export function refusalWaitMs(
  retryAfterMs: number | null,
  penaltyMs: number,
  refusals: number,
  random: () => number,
): number {
  const minimumMs = Math.max(retryAfterMs ?? DEFAULT_REFUSAL_WAIT_MS, penaltyMs);
  return minimumMs + random() * exponentialMs(minimumMs, MAX_JITTER_MS, refusals);
}

/** The wait after so many calls without an answer: random, up to a maximum that doubles. */
export function outageWaitMs(outages: number, random: () => number): number {
  return random() * exponentialMs(OUTAGE_FIRST_MS, OUTAGE_CEILING_MS, outages);
}
