// Selects the offers that may be rented, sorts them, and counts why the others are excluded. Pure.
import { banOf } from "../model/bans.ts";
import { usualAppStart } from "../state/boots.ts";
import type { Records } from "../state/records.ts";
import type { State } from "../state/schema.ts";
import type { Offer } from "../vast/rows.ts";
import { atBid } from "./bids.ts";
import { behindCheaper } from "./ends.ts";
import { countExclusions, type Exclusion, type Rejection } from "./exclusions.ts";
import { byExpectedCost } from "./expected-cost.ts";
import { firstMismatch, matches } from "./match.ts";
import { sorted } from "./order.ts";
import { requestedOrder, type SearchQuery } from "./query.ts";
import { ownFilters, type Requirements } from "./requirements.ts";

export interface Choice {
  /** Best first: in the requested order, otherwise in the API's order; machines where an instance ended lately rank as dearer (ends.ts).
   * Or by expected cost. */
  offers: readonly Offer[];
  /** Why the others cannot be taken. */
  exclusions: readonly Exclusion[];
}

/**
 * The offers that may be rented. All conditions are checked here again, because the API's filters are not strict. `records`: what is known
 * of machines and hosts, for the order by expected cost.
 */
export function selectOffers(
  found: readonly Offer[],
  query: SearchQuery,
  needs: Requirements,
  state: Pick<State, "avoided" | "goneOffers"> & Partial<Pick<State, "boots">>,
  records: Records = {},
): Choice {
  const { bid } = needs;
  const offers = bid === undefined ? found : found.map((one) => atBid(one, bid, needs.maxDollarsPerHour));
  const own = ownFilters(query, needs);
  const accepted: Offer[] = [];
  const rejected: { offer: Offer; rejection: Rejection }[] = [];
  for (const offer of offers) {
    const rejection =
      rejectionOf(offer, needs, state) ?? requirementMismatch(offer, own, needs, query) ?? queryMismatch(offer, query);
    if (rejection === null) accepted.push(offer);
    else rejected.push({ offer, rejection });
  }
  const inOrder = sorted(accepted, requestedOrder(query));
  const ranked = query.byExpectedCost
    ? byExpectedCost(inOrder, records, usualAppStart(state.boots ?? []))
    : behindCheaper(inOrder, state.avoided);
  return { offers: ranked, exclusions: countExclusions(rejected) };
}

function rejectionOf(
  offer: Offer,
  needs: Requirements,
  { avoided, goneOffers }: Pick<State, "avoided" | "goneOffers">,
): Rejection | null {
  if (!offer.rentable) return { reason: "not_rentable", text: "not rentable" };
  const ban = banOf(offer, needs.bans);
  if (ban !== undefined) return { reason: `banned_${ban.kind}`, text: `on a banned ${ban.kind}` };
  if (avoided.some(({ machineId, served }) => !served && machineId === offer.machineId))
    return { reason: "failed_machine", text: "on a machine that failed within the last hour" };
  if (goneOffers.some((entry) => entry.id === offer.id))
    return { reason: "taken", text: "just taken by somebody else" };
  if (needs.maxDollarsPerHour === undefined) return null;
  if (offer.dollarsPerHour === null)
    return { reason: "no_price", text: "without a price to compare with VAST_MAX_DPH" };
  if (offer.dollarsPerHour > needs.maxDollarsPerHour) return { reason: "price", text: "above VAST_MAX_DPH" };
  const isTooLow = needs.bid !== undefined && offer.bid === undefined;
  return isTooLow ? { reason: "price", text: "whose smallest bid is above VAST_BID" } : null;
}

function requirementMismatch(
  { fields }: Offer,
  own: ReturnType<typeof ownFilters>,
  needs: Requirements,
  { minDurationSeconds }: SearchQuery,
): Rejection | null {
  const { direct_port_count: ports, duration } = own;
  if (!matches(fields, "disk_space", "gte", needs.diskGb))
    return { reason: "disk", text: `with less than ${needs.diskGb} GB of disk` };
  if (ports && firstMismatch(fields, { direct_port_count: ports }))
    return { reason: "ports", text: `with fewer than ${needs.directPorts} direct ports` };
  if (duration && firstMismatch(fields, { duration }))
    return { reason: "duration", text: `that end within ${durationText(minDurationSeconds)}` };
  return null;
}

function queryMismatch({ fields }: Offer, { filters }: SearchQuery): Rejection | null {
  const condition = firstMismatch(fields, filters);
  return condition === null ? null : { reason: "query", text: `that do not meet ${condition} of VAST_SEARCH_QUERY` };
}

function durationText(seconds: number): string {
  if (seconds % 86_400 === 0) return seconds === 86_400 ? "a day" : `${seconds / 86_400} days`;
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}
