// Finds the offers that a create may try: those of a search that another pod has made, or of an own one where they are too few. Touches
// the API and Redis through the market.
import type { FoundOffers, LeftOut, OfferMarket, OfferSearch } from "../fleet/offer-market.ts";
import { bannedIds } from "../model/bans.ts";
import type { Exclusion } from "../search/exclusions.ts";
import type { SearchQuery } from "../search/query.ts";
import { MAX_ROWS, type Requirements, searchBody } from "../search/requirements.ts";
import { type Choice, selectOffers } from "../search/select-offers.ts";
import { excludedMachines } from "../state/avoided.ts";
import type { Records } from "../state/records.ts";
import type { State } from "../state/schema.ts";
import type { Offer } from "../vast/rows.ts";

export interface FindOfferParts {
  market: OfferMarket;
  query: SearchQuery;
  /** What is known of the machines and hosts of these offers. */
  recordsOf: (offers: readonly Offer[], state: State) => Promise<Records>;
}

export interface OfferChoice extends Choice {
  found: FoundOffers;
}

// With fewer offers the next pods would lose time on those that are gone: whoever comes first searches again, for all of them.
const ENOUGH_OFFERS = 12;
// A small market has no more: then this part of what a search found is enough.
const ENOUGH_PART = 1 / 2;

/**
 * `before`: the offers that were just lost; the new ones are of a later search. That there are none is said of any search that shows all
 * that this pod may rent; another pod may have made it.
 */
export async function findOffers(
  parts: FindOfferParts,
  needs: Requirements,
  state: State,
  before: FoundOffers | null,
  stop: AbortSignal,
): Promise<OfferChoice> {
  const { market } = parts;
  const { search, select, isDecided } = chooser(parts, needs, state);
  const isUnshared = before !== null && before.sharedAt === null;
  let choice = await select(await (isUnshared ? market.findAlone(search, stop) : market.find(search, before, stop)));
  if (!isDecided(choice) && !choice.found.own && before === null)
    choice = await select(await market.find(search, choice.found, stop));
  if (!isDecided(choice)) choice = await select(await market.findAlone(search, stop));
  if (choice.offers.length === 0) market.refuse(choice.found);
  // This pod has its offers; the search is for those whose turns come next, and may wait for its rate limit meanwhile.
  else if (!choice.found.own) market.refill(search, isEnough(choice) ? null : choice.found, stop);
  return choice;
}

/** The offers as all pods share them, without a search for this pod alone. Null: they do not show all that it may rent. */
export async function findShared(
  parts: FindOfferParts,
  needs: Requirements,
  state: State,
  stop: AbortSignal,
): Promise<OfferChoice | null> {
  const { search, select, isDecided } = chooser(parts, needs, state);
  const choice = await select(await parts.market.find(search, null, stop));
  if (!isDecided(choice)) return null;
  if (choice.offers.length === 0) parts.market.refuse(choice.found);
  return choice;
}

function chooser({ query, recordsOf }: FindOfferParts, needs: Requirements, state: State) {
  const avoided = excludedMachines(state);
  const leftOut = leftOutBy(needs, avoided);
  const search: OfferSearch = {
    common: searchBody(query, { ...needs, bans: [] }, []),
    shared: { body: searchBody(query, needs, []), without: leftOutBy(needs, []) },
    alone: { body: searchBody(query, needs, avoided), without: leftOut },
  };
  const select = async (found: FoundOffers): Promise<OfferChoice> => {
    const records = query.byExpectedCost ? await recordsOf(found.offers, state) : {};
    const { offers, exclusions } = selectOffers(found.offers, query, needs, state, records);
    return { found, offers, exclusions: [...reservedByOthers(found), ...exclusions] };
  };
  const isDecided = (choice: OfferChoice) =>
    choice.offers.length > 0 || (showsAll(choice.found, leftOut) && (choice.found.own || !hasLost(choice)));
  return { search, select, isDecided };
}

function leftOutBy({ bans }: Requirements, avoided: readonly number[]): LeftOut {
  return { hosts: bannedIds(bans, "host"), machines: [...bannedIds(bans, "machine"), ...avoided] };
}

/** A search of this pod alone would find no other offers: it would leave out as much, or all that there is has come. */
function showsAll({ without, total }: FoundOffers, own: LeftOut): boolean {
  const isCovered = isWithin(without.hosts, own.hosts) && isWithin(without.machines, own.machines);
  if (total < MAX_ROWS) return isCovered;
  return isCovered && isWithin(own.hosts, without.hosts) && isWithin(own.machines, without.machines);
}

const isWithin = (ids: readonly number[], all: readonly number[]) => ids.every((id) => all.includes(id));

/** Others rent what it shows, so that a later search may show what they leave. */
function hasLost({ exclusions }: OfferChoice): boolean {
  return exclusions.some(({ reason }) => reason === "reserved" || reason === "taken");
}

function reservedByOthers({ offers, total }: FoundOffers): Exclusion[] {
  const count = total - offers.length;
  if (count === 0) return [];
  return [{ reason: "reserved", text: "that other pods are renting", count, cheapestDollarsPerHour: null }];
}

function isEnough({ offers, found }: OfferChoice): boolean {
  return offers.length >= Math.min(ENOUGH_OFFERS, found.total * ENOUGH_PART);
}
