// The times that depend on each other, in one place. Pure.
//
// A mutation is sent only while the label's lease is ours, and its answer must arrive before that lease could expire. A destroy takes at
// most MUTATION_MS, its wait for the rate limit included. A create waits at most CREATE_WAIT_MS and then at most the client's 30 s for its
// answer. Both are shorter than LEASE_MS, and the lease is renewed just before; SEND_WITHIN_MS holds even when the process is paused in
// between. The next holder of the lease waits CREATE_DEADLINE_MS for an unresolved create of its predecessor, which is longer than a lease
// and any answer. CREATE_BUDGET_MS is the hour of VAST_MAX_CREATES_PER_HOUR and the longest time between recording a create and its
// arrival at the API.
//
// With a lease shorter than a mutation two provisioners could act at once. With a shorter create deadline an instance that is listed late
// would be rented twice. With a shorter budget one create too many could arrive within an hour.

/** How long the label's lease holds without being renewed; a pod whose predecessor was killed waits this long. */
export const LEASE_MS = 60_000;
/**
 * A pass renews it after this time: at each pass, a thousand pods would ask Redis 200 times a second. A mutation always renews it, and the
 * copy of the state that a pod writes while it serves does so as well (lease/lease.ts).
 */
export const LEASE_RENEW_MS = LEASE_MS / 2;
/**
 * How long after it was written down a mutation may be sent. The lease is renewed in between, so half of it is left for the way to the
 * API, and a create that arrives is still looked for. A process that was paused for longer sends nothing.
 */
export const SEND_WITHIN_MS = 30_000;
/** How long a destroy may take, its wait for the rate limit included. */
export const MUTATION_MS = 50_000;
/** How long a create may wait for the rate limit before it is sent. */
export const CREATE_WAIT_MS = 25_000;
/** How long the instance of a create with an unknown outcome is looked for: instances are listed late, but never later than this. */
export const CREATE_DEADLINE_MS = 120_000;
/**
 * How long a create counts against VAST_MAX_CREATES_PER_HOUR: an hour from its arrival at the API. It is recorded before it is sent, and
 * may then wait for its rate limit (4.5 s, 15 s after a 429) and 30 s for its answer.
 */
export const CREATE_BUDGET_MS = 3_600_000 + 60_000;
