// Why there is no offer to take: the sentence that says which condition is in the way. Pure.
import type { State } from "../state/schema.ts";
import type { Offer } from "../vast/rows.ts";
import type { SearchQuery } from "./query.ts";
import { MOST_ROWS, type Requirements } from "./requirements.ts";
import { selectOffers } from "./select-offers.ts";

/** `offers` is what the query alone finds, where the whole search found nothing; null when that was not answered. */
export function explainNoOffers(
  offers: readonly Offer[] | null,
  query: SearchQuery,
  needs: Requirements,
  state: Pick<State, "avoided" | "goneOffers">,
): string {
  if (offers === null)
    return "VAST_SEARCH_QUERY finds no offer: loosen its filters, or raise VAST_MAX_DPH if it is set";
  if (offers.length === 0)
    return `VAST_SEARCH_QUERY finds no offer: loosen its filters (it finds none with ${needs.diskGb} GB of disk at any price either)`;
  const { excluded, offers: left } = selectOffers(offers, query, needs, state);
  const count = offers.length < MOST_ROWS ? String(offers.length) : `${MOST_ROWS} or more`;
  const rest = left.length > 0 ? `${excluded === "" ? "" : ", "}${left.length} just listed` : "";
  return `no offer can be taken; VAST_SEARCH_QUERY alone finds ${count}: ${excluded}${rest}`;
}
