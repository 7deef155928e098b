// Decides when a config that nginx refused is tried again. Pure: time is an argument.
import { exponentialMs } from "../../common/backoff.ts";

/** One refused config. A config with another hash may be tried at once. */
export interface RefusedConfig {
  hash: string;
  why: string;
  /** How often in a row it was refused. */
  failures: number;
  /** When it may be tried again, by the monotonic clock. */
  retryAt: number;
}

// Each try makes nginx read its whole config. The first retry comes soon, since the cause may be another file that is just
// being written. The ceiling limits a permanent fault to one try a minute.
const FIRST_RETRY_MS = 5_000;
const MAX_RETRY_MS = 60_000;

/** How long to wait after that many refusals in a row. */
export const retryWaitMs = (failures: number): number => exponentialMs(FIRST_RETRY_MS, MAX_RETRY_MS, failures);

/** The refusal to remember after nginx refused `hash` at `now`. */
export function addRefusal(before: RefusedConfig | null, hash: string, why: string, now: number): RefusedConfig {
  const failures = before?.hash === hash ? before.failures + 1 : 1;
  return { hash, why, failures, retryAt: now + retryWaitMs(failures) };
}

/** True while `hash` must not be tried. A wait longer than the ceiling is none: the clock was put back. */
export function mustWait(refused: RefusedConfig | null, hash: string, now: number): refused is RefusedConfig {
  if (refused === null || refused.hash !== hash) return false;
  return now < refused.retryAt && refused.retryAt - now <= MAX_RETRY_MS;
}
