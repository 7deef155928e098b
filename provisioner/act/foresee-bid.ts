// Finds out, while a create with a bid waits for its turn, that no bid of it is enough: then it need not come to its turn to fail. Touches
// the API and Redis through the market.
import type { Clock } from "../../common/clock.ts";
import type { Desired } from "../model/desired.ts";
import type { Observation } from "../model/observation.ts";
import type { CreateAction } from "../model/plan.ts";
import { backOff } from "../state/backoff.ts";
import { bidFailed } from "../state/bids.ts";
import type { State } from "../state/schema.ts";
import { asVastError } from "../vast/errors.ts";
import { type FindOfferParts, findShared, type OfferChoice } from "./find-offers.ts";
import { needsOfCreate } from "./needs-of-create.ts";
import { type WhyNoOfferParts, whyNoOffer } from "./why-no-offer.ts";

interface ForeseeParts extends FindOfferParts, WhyNoOfferParts {
  clock: Clock;
  desired: Pick<Desired, "revision">;
}

/** The state after a failed bid where the offers that all pods share have none for it; otherwise as it is. */
export async function foreseeBid(
  parts: ForeseeParts,
  create: CreateAction,
  seen: Observation,
  state: State,
  stop: AbortSignal,
): Promise<State> {
  const { clock, desired, log } = parts;
  const needs = needsOfCreate(create, seen, state);
  if (needs === null) return state;
  let choice: OfferChoice | null;
  try {
    choice = await findShared(parts, needs, state, stop);
  } catch (error) {
    const line = { event: "progress", phase: "searching", err: asVastError(error) } as const;
    if (!stop.aborted) log.debug(line, "it is unknown whether there is an offer for the bid");
    return state;
  }
  if (choice === null || choice.offers.length > 0) return state;
  const message = await whyNoOffer(parts, choice, needs, state, choice.found.offers.length < choice.found.total, stop);
  if (stop.aborted) return state;
  const now = clock.now();
  return bidFailed(backOff(state, "no_offer", message, desired.revision, now), now);
}
