// The offers that a create could take now, and why the others cannot be taken, for the command `plan`. Pure.
import { columnOf, numberOf } from "../search/columns.ts";
import { type Ranking, rankingByEnds } from "../search/ends.ts";
import type { Exclusion } from "../search/exclusions.ts";
import { expectedCost } from "../search/expected-cost.ts";
import { orderText, requestedOrder, type SearchQuery } from "../search/query.ts";
import { MAX_ROWS, type Requirements } from "../search/requirements.ts";
import { selectOffers } from "../search/select-offers.ts";
import { usualAppStart } from "../state/boots.ts";
import type { Records } from "../state/records.ts";
import type { State } from "../state/schema.ts";
import type { Offer } from "../vast/rows.ts";

export interface PlanOffer {
  id: number;
  hostId: number | null;
  machineId: number | null;
  gpus: number | null;
  gpu: string;
  dollarsPerHour: number | null;
  place: string | null;
  /** 0 to 1, as the API estimates it. */
  reliability: number | null;
  downMbps: number | null;
  /** How long the offer lasts: an instance ends with it. */
  seconds: number | null;
  /** What it is taken to cost; null where that is its price. */
  ranking: Ranking | null;
}

export interface PlanOffers {
  /** How many VAST_SEARCH_QUERY alone finds at any price. */
  found: number;
  /** The API returns no more than these: there may be others. */
  foundIsLeast: boolean;
  left: number;
  leftIsLeast: boolean;
  /** In the order in which they are tried: the first one is taken unless somebody else is faster. */
  best: readonly PlanOffer[];
  /** Why those that were found cannot be taken. */
  excluded: readonly Exclusion[];
  order: string;
}

const MOST_SHOWN = 5;

/** Whether the offers of the query alone do not show which one would be taken: there may be others, or the API's own order decides. */
export function needsCompleteSearch(alone: readonly Offer[], query: SearchQuery): boolean {
  return alone.length >= MAX_ROWS || requestedOrder(query).length === 0 || query.options.limit !== undefined;
}

/** `alone`: what the query alone finds. `complete`: what the search of a create finds; null where `alone` shows it all. */
export function planOffers(
  alone: readonly Offer[],
  complete: readonly Offer[] | null,
  query: SearchQuery,
  needs: Requirements,
  state: Pick<State, "avoided" | "goneOffers"> & Partial<Pick<State, "boots">>,
  records: Records = {},
): PlanOffers {
  const { exclusions } = selectOffers(alone, query, needs, state);
  const candidates = complete ?? alone;
  const { offers } = selectOffers(candidates, query, needs, state, records);
  const rankingOf = (offer: Offer) =>
    query.byExpectedCost
      ? expectedCost(offer, records, usualAppStart(state.boots ?? []))
      : rankingByEnds(offer, state.avoided);
  return {
    found: alone.length,
    foundIsLeast: alone.length >= MAX_ROWS,
    left: offers.length,
    leftIsLeast: candidates.length >= MAX_ROWS && offers.length > 0,
    best: offers.slice(0, MOST_SHOWN).map((offer) => planOffer(offer, rankingOf(offer))),
    excluded: exclusions,
    order: orderText(query),
  };
}

function planOffer(offer: Offer, ranking: Ranking | null): PlanOffer {
  const { id, hostId, machineId, gpuName, dollarsPerHour, fields } = offer;
  const number = (field: string) => numberOf(columnOf(fields, field));
  const { geolocation } = fields;
  return {
    id,
    hostId,
    machineId,
    gpus: number("num_gpus"),
    gpu: gpuName,
    dollarsPerHour,
    place: typeof geolocation === "string" && geolocation.trim() !== "" ? geolocation.trim() : null,
    reliability: number("reliability"),
    downMbps: number("inet_down"),
    seconds: number("duration"),
    ranking,
  };
}
