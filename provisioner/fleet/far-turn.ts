// What a pod remembers of a turn that is far away: it asks for it less often than a pod whose turn is near. Pure.

/** The last answer about a turn that was far away. Times by the pod's monotonic clock, ms. */
export interface FarTurn {
  ahead: number;
  waitMs: number;
  at: number;
  askAt: number;
}

// A turn that comes this much later than its pod begins to prepare for it.
const FAR_MS = 60_000;
const LEAST_ASK_MS = 40_000;
const ASK_TIMES = 9;
// In a Redis that has forgotten everything all pods have their places again after this time.
const COUNTS_MS = 55_000;
// While the answer is doubted.
const DOUBT_CHECK_MS = 5000;
// A queue may get shorter by so much between two questions: members leave it.
const SLACK_MS = 10_000;

/** Null where it is not far. Neighbours in the queue ask again at different times, 40 s to 48 s from now. */
export function farTurn(turn: { ahead: number; waitMs: number }, nearMs: number, now: number): FarTurn | null {
  if (turn.waitMs - nearMs <= FAR_MS) return null;
  return { ...turn, at: now, askAt: now + LEAST_ASK_MS + (turn.ahead % ASK_TIMES) * 1000 };
}

/** What is left of the wait, and when to ask again. */
export function remaining({ ahead, waitMs, at, askAt }: FarTurn, now: number) {
  return { kind: "later", ahead, waitMs: waitMs - (now - at), checkMs: Math.max(askAt - now, 0) } as const;
}

/**
 * The remembered turn where a new answer is not to be believed yet. Redis may have forgotten the queue: then the first pods that ask again
 * are told that hardly anyone is before them.
 */
export function doubted(far: FarTurn, waitMs: number, now: number): FarTurn | null {
  const sinceMs = now - far.at;
  const isMuchLess = waitMs < far.waitMs - sinceMs - SLACK_MS;
  return isMuchLess && sinceMs < COUNTS_MS ? { ...far, askAt: now + DOUBT_CHECK_MS } : null;
}
