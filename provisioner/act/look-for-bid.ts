// Looks for a bid that is cheaper than what the pod pays on demand. Touches the API, which it only reads.
import type { Clock } from "../../common/clock.ts";
import type { Logger } from "../../common/logging.ts";
import type { Observation } from "../model/observation.ts";
import type { CreateAction } from "../model/plan.ts";
import { bidFound, nothingFound } from "../state/fallback.ts";
import type { State } from "../state/schema.ts";
import { asVastError } from "../vast/errors.ts";
import { type FindOfferParts, findOffers } from "./find-offers.ts";
import { needsOfCreate } from "./needs-of-create.ts";

interface LookParts extends FindOfferParts {
  clock: Clock;
  log: Logger;
}

/** The state with the price of the first offer that `create` would take, or with a later look. */
export async function lookForBid(
  parts: LookParts,
  create: CreateAction,
  seen: Observation,
  state: State,
  stop: AbortSignal,
): Promise<State> {
  const { clock, log } = parts;
  const needs = needsOfCreate(create, seen, state);
  if (needs === null) return nothingFound(state, clock.now());
  const line = { event: "progress", phase: "searching" } as const;
  let price: number | null;
  try {
    const { offers } = await findOffers(parts, needs, state, null, stop);
    price = offers[0]?.dollarsPerHour ?? null;
  } catch (error) {
    if (stop.aborted) return state;
    log.debug({ ...line, err: asVastError(error) }, "it is unknown whether a bid is cheaper than what is paid now");
    return nothingFound(state, clock.now());
  }
  const limit = `$${(create.maxDollarsPerHour ?? 0).toFixed(4)}/h`;
  if (price === null) {
    log.debug(line, `no bid is worth it: none is at most ${limit}`);
    return nothingFound(state, clock.now());
  }
  log.debug(line, `a bid of $${price.toFixed(4)}/h with its disk is worth it: at most ${limit} is`);
  return bidFound(state, price, clock.now());
}
