// The times that must fit into each other, in one place. Pure.
//
// A mutation is sent only while the label's lease is ours, and its answer must be there before that lease could end: a destroy takes at
// most MUTATION_MS with its wait, a create at most CREATE_WAIT_MS of waiting and the client's 30 s for the answer, and both are shorter
// than LEASE_MS, which is renewed just before. Whoever takes the lease over after that looks for an unresolved create of its predecessor
// for CREATE_DEADLINE_MS, which is longer than a lease and every answer. CREATE_BUDGET_MS is the hour of VAST_MAX_CREATES_PER_HOUR and the
// longest time between noting a create and its arrival at the API.
//
// Smaller or larger: with a shorter lease than a mutation two provisioners could act at once; with a shorter create deadline an instance
// that is listed late would be rented twice; with a shorter budget one create too many could arrive within an hour.

/** How long the lease of a label holds without being renewed; a pod whose predecessor was killed waits as long. */
export const LEASE_MS = 60_000;
/** How long a destroy may take, its wait for the rate limit included. */
export const MUTATION_MS = 50_000;
/** How long a create may wait for the rate limit before it is sent. */
export const CREATE_WAIT_MS = 25_000;
/** How long a create whose outcome is unknown is looked for: rows were seen to appear late, but never later than this. */
export const CREATE_DEADLINE_MS = 120_000;
/**
 * How long a create counts against VAST_MAX_CREATES_PER_HOUR: an hour from when it arrives at the API. It is noted before it is sent, and
 * may then wait for its rate limit (4.5 s, 15 s after a 429) and 30 s for its answer.
 */
export const CREATE_BUDGET_MS = 3_600_000 + 60_000;
