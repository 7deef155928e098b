// Explains why there is no offer to rent: which conditions exclude how many offers. Pure.
import type { State } from "../state/schema.ts";
import type { Offer } from "../vast/rows.ts";
import { exclusionText } from "./exclusions.ts";
import type { SearchQuery } from "./query.ts";
import { MAX_ROWS, type Requirements } from "./requirements.ts";
import { selectOffers } from "./select-offers.ts";

/** `offers`: the result of the query alone, after the complete search found nothing; null when there was no answer. */
export function explainNoOffers(
  offers: readonly Offer[] | null,
  query: SearchQuery,
  needs: Requirements,
  state: Pick<State, "avoided" | "goneOffers">,
): string {
  if (offers === null)
    return "VAST_SEARCH_QUERY finds no offer: loosen its filters, or raise VAST_MAX_DPH if it is set";
  if (offers.length === 0)
    return `VAST_SEARCH_QUERY finds no offer: loosen its filters (it finds nothing with ${needs.diskGb} GB of disk at any price)`;
  const { exclusions, offers: left } = selectOffers(offers, query, needs, state);
  const excluded = exclusionText(exclusions);
  const count = offers.length < MAX_ROWS ? String(offers.length) : `${MAX_ROWS} or more`;
  const rest = left.length > 0 ? `${excluded === "" ? "" : ", "}${left.length} appeared just now` : "";
  return `no offer can be taken; VAST_SEARCH_QUERY alone finds ${count}: ${excluded}${rest}`;
}
