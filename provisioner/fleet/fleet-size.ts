// What a pod does less often the more pods there are, because together they do it often enough. Pure.

// In a small fleet a pod for which all is well looks at its list in each pass: they come every 5 s.
const LEAST_LOOK_MS = 4000;
// A change that its probe does not show is noticed this much later at most. The leader looks for such changes every 15 s.
const MOST_LOOK_MS = 20_000;
// With so many pods one of them still looks four times a second.
const LOOK_PER_POD_MS = 250;
// A leader stays the leader for so long without a sign of life (snapshot.ts).
const LEAST_KNOWN_MS = 10_000;
const MOST_KNOWN_MS = 60_000;
const KNOWN_PER_POD_MS = 500;

// What may wait is spread over the whole of its time in a fleet of so many pods, and not at all where there are few.
const SPREAD_PODS = 1000;
const FEW_PODS = 20;

// While something is expected, a pod of a small fleet looks in each pass, and those of a large one together 250 times a second.
const STARTING_PER_POD_MS = 4;
const MOST_STARTING_MS = 4000;
// A second empty list confirms the first one when it was asked for ten seconds later: nothing else is expected until then.
const CONFIRMING_PER_POD_MS = 20;
const MOST_CONFIRMING_MS = 14_000;
const MOST_UNKNOWN_MS = 10_000;
// The leader reads once a second.
const LEAST_AWAITED_MS = 500;
const AWAITED_PER_POD_MS = 2;
const MOST_AWAITED_MS = 2000;
// Each look for the same list comes so much later than the one before, but not more than three times as late as the first.
const AWAITED_GROWTH = 1.5;
const MOST_GROWTH = 3;

/** How often a pod for which all is well looks at the shared list. */
export function settledLookMs(pods: number): number {
  return Math.min(Math.max(pods * LOOK_PER_POD_MS, LEAST_LOOK_MS), MOST_LOOK_MS);
}

/** How often a pod looks that has no instance and waits for its turn: a fresh list is read before it creates. */
export function waitingLookMs(pods: number): number {
  return 2 * settledLookMs(pods);
}

/** How often a pod looks that expects something: in the first minute of a large fleet all of them do. */
export function startingLookMs(pods: number): number {
  return Math.min(pods * STARTING_PER_POD_MS, MOST_STARTING_MS);
}

/** How often a pod looks whose list is unknown: in an outage of the API those of all pods are. */
export function unknownLookMs(pods: number): number {
  return spreadMs(pods, MOST_UNKNOWN_MS);
}

/** How often a pod looks that has no instance, and needs a second list that says so. */
export function confirmingLookMs(pods: number): number {
  return Math.min(pods * CONFIRMING_PER_POD_MS, MOST_CONFIRMING_MS);
}

/** When a pod looks again that needs a fresh list for what it is about to do, after so many looks in vain. */
export function awaitedLookMs(pods: number, looks: number): number {
  const first = Math.min(Math.max(pods * AWAITED_PER_POD_MS, LEAST_AWAITED_MS), MOST_AWAITED_MS);
  return first * Math.min(AWAITED_GROWTH ** looks, MOST_GROWTH);
}

/** Within which time the pods do what may wait, in order that those of a large fleet do not do it all at once. */
export function spreadMs(pods: number, mostMs: number): number {
  return pods <= FEW_PODS ? 0 : (Math.min(pods, SPREAD_PODS) / SPREAD_PODS) * mostMs;
}

/**
 * For how long a pod that has seen a leader does not try to lead. It is at least two looks, so that looking does for it; and one of the
 * many others sees within a second that there is no leader any more.
 */
export function leaderCountsMs(pods: number): number {
  return Math.min(Math.max(pods * KNOWN_PER_POD_MS, LEAST_KNOWN_MS), MOST_KNOWN_MS);
}
