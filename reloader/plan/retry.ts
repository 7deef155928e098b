// When a config that nginx refused is tried again. Pure: time is an argument.

/** Remembers one refused config; another one is free to be tried at once. */
export interface RefusedConfig {
  hash: string;
  why: string;
  /** How often in a row it was refused. */
  failures: number;
  /** Epoch ms from which it may be tried again. */
  retryAt: number;
}

// Each try makes nginx read its whole config. The first retry comes soon, as what refused it may have been another
// file that is just being written; the ceiling keeps a lasting fault at one try a minute.
const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 60_000;

/** What to remember after nginx refused `hash` at `now`. */
export function addRefusal(before: RefusedConfig | null, hash: string, why: string, now: number): RefusedConfig {
  const times = before?.hash === hash ? before.failures + 1 : 1;
  return { hash, why, failures: times, retryAt: now + Math.min(FIRST_RETRY_MS * 2 ** (times - 1), LONGEST_RETRY_MS) };
}

/** True while `hash` must not be tried. A longer wait than any comes of a system's clock that was put back. */
export function mustWait(refused: RefusedConfig | null, hash: string, now: number): refused is RefusedConfig {
  if (refused === null || refused.hash !== hash) return false;
  return now < refused.retryAt && refused.retryAt - now <= LONGEST_RETRY_MS;
}
