// What became of bids: failures, which let the next instance be rented on demand, and the bid that was raised. Pure.
import type { Bid, Bidding } from "../model/bid.ts";
import type { Observation } from "../model/observation.ts";
import type { RaiseBidAction } from "../model/plan.ts";
import type { State } from "./schema.ts";

const HOUR_MS = 3_600_000;
/** So many bids that failed within an hour are not worth another one: fewer than the creates that a pod may make in an hour. */
export const MOST_BID_FAILURES = 3;

/** What is bid for the next instance; null: it is rented on demand. `bidFailures` are those of the last hour. */
export function bidNow({ bidFailures }: Pick<State, "bidFailures">, bidding: Bidding | null): Bid | null {
  if (bidding === null) return null;
  return bidding.fallsBack && bidFailures.length >= MOST_BID_FAILURES ? null : bidding.bid;
}

/** An instance was lost to a higher bid, or a bid rented nothing. */
export function bidFailed(state: State, now: number): State {
  return { ...state, bidFailures: [...recent(state.bidFailures, now), now] };
}

// What came of a create that a higher price could have changed.
const FAILED_OUTCOMES: ReadonlySet<string> = new Set(["no_offer", "offers_lost", "create_refused", "create_failed"]);
const MAY_HAVE_MADE: ReadonlySet<string> = new Set(["created", "create_unresolved"]);

/** The state `after` a create with this outcome. An offer that is gone may have been lost to a higher bid: some answers say no more. */
export function afterCreate(before: State, after: State, bid: Bid | undefined, outcome: string, now: number): State {
  const gone = (one: State["goneOffers"][number]) => !before.goneOffers.some(({ id }) => id === one.id);
  const lostOffers = !MAY_HAVE_MADE.has(outcome) && after.goneOffers.some(gone);
  return bid !== undefined && (FAILED_OUTCOMES.has(outcome) || lostOffers) ? bidFailed(after, now) : after;
}

/** Before the call. */
export function bidRaised(state: State, { id, dollarsPerHour }: RaiseBidAction, now: number): State {
  const before = state.raisedBid?.instanceId === id ? state.raisedBid.times : 0;
  const raisedBid = { instanceId: id, dollarsPerHour, at: now, times: before + 1, refused: null, cheaper: null };
  return { ...state, raisedBid };
}

/** The API refuses it, which no later attempt changes. */
export function bidRefused(state: State, why: string): State {
  return state.raisedBid === null ? state : { ...state, raisedBid: { ...state.raisedBid, refused: why } };
}

/** It was not raised: another instance costs so much less, $/h with its disk. */
export function bidGivenUp(state: State, action: RaiseBidAction, cheaper: number, now: number): State {
  const { raisedBid } = bidRaised(state, action, now);
  return { ...state, raisedBid: raisedBid && { ...raisedBid, cheaper } };
}

/** After the destroy of an instance that was outbid. Where a higher bid could have won, and another one was cheaper, none has failed. */
export function outbidDestroyed(state: State, id: number, now: number): State {
  const { raisedBid } = state;
  return raisedBid?.instanceId === id && raisedBid.cheaper !== null ? state : bidFailed(state, now);
}

/** The bids after a list: a raised one has done what it was to do when its instance serves, or when that is gone. */
export function bidsAfterList(
  { bidFailures, raisedBid, tracks }: State,
  { list, partial }: Observation,
  now: number,
): Pick<State, "bidFailures" | "raisedBid"> {
  const id = raisedBid?.instanceId;
  const isGone = list.known && partial === undefined && !list.value.some((row) => row.id === id);
  const isOver = id !== undefined && (isGone || tracks[id]?.serving === true);
  return { bidFailures: recent(bidFailures, now), raisedBid: isOver ? null : raisedBid };
}

/** How many bids have failed within the last hour. */
export function failuresWithin({ bidFailures }: Pick<State, "bidFailures">, now: number): number {
  return recent(bidFailures, now).length;
}

function recent(times: State["bidFailures"], now: number): State["bidFailures"] {
  return times.every((at) => now - at < HOUR_MS) ? times : times.filter((at) => now - at < HOUR_MS);
}
