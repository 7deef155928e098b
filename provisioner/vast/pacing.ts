// When the next call of an endpoint may start: the API limits each endpoint by a minimum interval. Touches only the clock.
import type { Clock } from "../../common/clock.ts";

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
// Neighbours with the same key share the limit, so that everybody who was refused must not come back at the same instant.
const JITTER = 0.25;

export interface Pacing {
  /** Resolves when a call of this endpoint may start (or when `signal` is aborted). */
  enter(gate: string, signal?: AbortSignal): Promise<void>;
  /** Notes that a call was refused as too frequent. */
  penalise(gate: string, retryAfterMs: number | null): void;
}

/** One gate per endpoint, one process wide. `random` answers 0 to 1. */
export function createPacing(clock: Clock, random: () => number): Pacing {
  const openAt = new Map<string, number>();
  return {
    async enter(gate, signal) {
      const now = clock.now();
      const start = Math.max(now, openAt.get(gate) ?? 0);
      openAt.set(gate, start + (INTERVALS_MS[gate] ?? 1000));
      if (start > now) await clock.sleep(start - now, signal);
    },
    penalise(gate, retryAfterMs) {
      const wait = Math.max(retryAfterMs ?? UNNAMED_WAIT_MS, PENALTY_MS[gate] ?? 0) * (1 + JITTER * random());
      openAt.set(gate, Math.max(openAt.get(gate) ?? 0, clock.now() + wait));
    },
  };
}
