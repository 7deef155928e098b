// Raises a bid unless another instance is much cheaper: then the raise would be paid for as long as the instance runs. Touches the API, and
// Redis through the market, where the machine that was found is kept for this pod.
import { withDeadline } from "../../common/clock.ts";
import type { OfferMarket } from "../fleet/offer-market.ts";
import { mayDecide, type Observation } from "../model/observation.ts";
import type { CheaperOther, RaiseBidAction } from "../model/plan.ts";
import type { Pauses } from "../observe/pauses.ts";
import { bidGivenUp } from "../state/bids.ts";
import type { State } from "../state/schema.ts";
import { asVastError } from "../vast/errors.ts";
import type { Offer } from "../vast/rows.ts";
import type { DestroyInstanceParts } from "./destroy.ts";
import { type FindOfferParts, findOffers } from "./find-offers.ts";
import { needsOfCreate } from "./needs-of-create.ts";
import { raiseBid } from "./raise-bid.ts";
import type { Signals } from "./try-offer.ts";

type RaiseUnlessParts = Omit<DestroyInstanceParts, "desired"> & FindOfferParts & { pauses: Pick<Pauses, "totalMs"> };

// Nothing is served meanwhile: a search that takes longer has to wait for its rate limit, or the API is slow.
const SEARCH_MS = 8000;

/** The state after the raise, or with the price of the other instance: then this one is replaced. An unknown price prevents no raise. */
export async function raiseUnlessCheaper(
  parts: RaiseUnlessParts,
  action: RaiseBidAction,
  message: string,
  seen: Observation,
  state: State,
  { stop, abortMutations }: Signals,
): Promise<State> {
  const { clock, log, pauses } = parts;
  const { id, dollarsPerHour, unless } = action;
  if (unless !== undefined) {
    const pausedMs = pauses.totalMs();
    const cheaper = await cheaperThan(parts, unless, seen, state, stop);
    // The next pass looks again: the instance may run by now, or be gone.
    if (stop.aborted || pauses.totalMs() > pausedMs || !mayDecide(seen, clock.now())) return state;
    if (cheaper !== null) {
      const why = `another one costs $${cheaper.toFixed(4)}/h with its disk, and this one is replaced`;
      log.info(
        { event: "action", action: "raise_bid", instance: id },
        `the bid of instance ${id} is not raised to $${dollarsPerHour.toFixed(4)}/h: ${why}`,
      );
      return bidGivenUp(state, action, cheaper, clock.now());
    }
  }
  return raiseBid(parts, action, message, state, abortMutations);
}

/** The price of what would be rented, on another machine and below the limit. Null: it is dearer, there is none, or nobody knows. */
async function cheaperThan(
  parts: RaiseUnlessParts,
  { create, machineId, belowDollarsPerHour }: CheaperOther,
  seen: Observation,
  state: State,
  stop: AbortSignal,
): Promise<number | null> {
  const { clock, log } = parts;
  // A search for other pods goes on when this one has its answer.
  const market: OfferMarket = {
    ...parts.market,
    refill: (search, before) => parts.market.refill(search, before, stop),
  };
  const needs = needsOfCreate(create, seen, state);
  if (needs === null) return null;
  const isCheaper = ({ dollarsPerHour }: Offer) => dollarsPerHour !== null && dollarsPerHour < belowDollarsPerHour;
  try {
    return await withDeadline(clock, SEARCH_MS, stop, async (deadline) => {
      const { offers, found } = await findOffers({ ...parts, market }, needs, state, null, deadline);
      for (const offer of offers) {
        if (offer.machineId === machineId) continue;
        if (!isCheaper(offer)) return null;
        // Where many are outbid at once, they must not all count on the same machine.
        if (await market.reserve(offer, found)) return offer.dollarsPerHour;
      }
      return null;
    });
  } catch (error) {
    const line = { event: "progress", phase: "searching", err: asVastError(error) } as const;
    if (!stop.aborted) log.debug(line, "it is unknown whether another instance is cheaper than the raised bid");
    return null;
  }
}
