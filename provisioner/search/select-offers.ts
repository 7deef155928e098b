// Selects the offers that may be rented, sorts them, and counts why the others are excluded. Pure.
import { banOf } from "../model/bans.ts";
import type { State } from "../state/schema.ts";
import type { Offer } from "../vast/rows.ts";
import { firstMismatch, matches } from "./match.ts";
import { sorted } from "./order.ts";
import { requestedOrder, type SearchQuery } from "./query.ts";
import { ownFilters, type Requirements } from "./requirements.ts";

export interface Choice {
  /** Best first: in the requested order, otherwise in the API's order. */
  offers: readonly Offer[];
  /** Why the others are excluded: `9 above VAST_MAX_DPH (the cheapest $0.4100/h), 3 on a banned host`; empty when none is. */
  excluded: string;
}

/** The offers that may be rented. All conditions are checked here again, because the API's filters are not strict. */
export function selectOffers(
  offers: readonly Offer[],
  query: SearchQuery,
  needs: Requirements,
  state: Pick<State, "avoided" | "goneOffers">,
): Choice {
  const excluded = new Map<string, Offer[]>();
  const own = ownFilters(query, needs);
  const accepted = offers.filter((offer) => {
    const reason =
      rejectReason(offer, needs, state) ?? requirementMismatch(offer, own, needs) ?? queryMismatch(offer, query);
    if (reason !== null) excluded.set(reason, [...(excluded.get(reason) ?? []), offer]);
    return reason === null;
  });
  const parts = [...excluded].map(
    ([reason, rejected]) => `${rejected.length} ${reason}${reason === ABOVE_MAX_PRICE ? cheapest(rejected) : ""}`,
  );
  return { offers: sorted(accepted, requestedOrder(query)), excluded: parts.join(", ") };
}

const ABOVE_MAX_PRICE = "above VAST_MAX_DPH";

function rejectReason(
  offer: Offer,
  needs: Requirements,
  { avoided, goneOffers }: Pick<State, "avoided" | "goneOffers">,
): string | null {
  if (!offer.rentable) return "not rentable";
  const ban = banOf(offer, needs.bans);
  if (ban !== undefined) return `on a banned ${ban.kind}`;
  if (avoided.some((entry) => entry.machineId === offer.machineId))
    return "on a machine that failed within the last hour";
  if (goneOffers.some((entry) => entry.id === offer.id)) return "just taken by somebody else";
  if (needs.maxDollarsPerHour === undefined) return null;
  if (offer.dollarsPerHour === null) return "without a price to compare with VAST_MAX_DPH";
  return offer.dollarsPerHour > needs.maxDollarsPerHour ? ABOVE_MAX_PRICE : null;
}

function requirementMismatch(
  { fields }: Offer,
  own: ReturnType<typeof ownFilters>,
  needs: Requirements,
): string | null {
  const { direct_port_count: ports, duration } = own;
  if (!matches(fields, "disk_space", "gte", needs.diskGb)) return `with less than ${needs.diskGb} GB of disk`;
  if (ports && firstMismatch(fields, { direct_port_count: ports }))
    return `with fewer than ${needs.directPorts} direct ports`;
  if (duration && firstMismatch(fields, { duration })) return "that end within a day";
  return null;
}

function queryMismatch({ fields }: Offer, { filters }: SearchQuery): string | null {
  const condition = firstMismatch(fields, filters);
  return condition === null ? null : `that do not meet ${condition} of VAST_SEARCH_QUERY`;
}

function cheapest(offers: readonly Offer[]): string {
  const price = Math.min(...offers.map((offer) => offer.dollarsPerHour ?? Number.POSITIVE_INFINITY));
  return ` (the cheapest $${price.toFixed(4)}/h)`;
}
