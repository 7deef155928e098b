// Says why a search has no offer that the pod may rent. Touches the API through the market, for one more search at most.
import type { Logger } from "../../common/logging.ts";
import { exclusionText } from "../search/exclusions.ts";
import { explainNoOffers } from "../search/explain-no-offers.ts";
import { queryAlone, type Requirements } from "../search/requirements.ts";
import { type Choice, selectOffers } from "../search/select-offers.ts";
import type { State } from "../state/schema.ts";
import { asVastError } from "../vast/errors.ts";
import type { Offer } from "../vast/rows.ts";
import type { FindOfferParts, OfferChoice } from "./find-offers.ts";

export interface WhyNoOfferParts extends Pick<FindOfferParts, "market" | "query"> {
  log: Logger;
  /** Called with what the query alone finds, and why it cannot be taken. */
  onOffers?: (choice: Choice) => void;
}

/** A sentence. `lostSome`: others rent what there was, so the query is not asked for the reason. */
export async function whyNoOffer(
  parts: WhyNoOfferParts,
  { found, exclusions }: OfferChoice,
  needs: Requirements,
  state: State,
  lostSome: boolean,
  stop: AbortSignal,
): Promise<string> {
  if (found.total === 0 && !lostSome) {
    const alone = await findQueryAlone(parts, needs, stop);
    if (alone !== null) parts.onOffers?.(selectOffers(alone, parts.query, needs, state));
    return explainNoOffers(alone, parts.query, needs, state);
  }
  const excluded = exclusionText(exclusions);
  return `none of ${found.total} offers can be taken${excluded === "" ? "" : `: ${excluded}`}`;
}

/** Null: it was not answered either. */
async function findQueryAlone(
  { market, query, log }: WhyNoOfferParts,
  needs: Requirements,
  stop: AbortSignal,
): Promise<readonly Offer[] | null> {
  try {
    return await market.look(queryAlone(query, needs), stop);
  } catch (error) {
    const line = { event: "progress", phase: "searching", err: asVastError(error) } as const;
    log.debug(line, "cannot tell what VAST_SEARCH_QUERY alone finds");
    return null;
  }
}
