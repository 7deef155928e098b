// The rule for a pod that serves on demand because bids had failed: a cheaper instance with a bid is created while it serves. Pure.
import { wholeList } from "../model/observation.ts";
import type { CreateAction, Decision } from "../model/plan.ts";
import { FOUND_MS } from "../state/fallback.ts";
import { differenceOf } from "./difference.ts";
import { createAction } from "./no-instance.ts";
import { ready } from "./ready.ts";
import { type Rule, withInstance } from "./rule.ts";
import type { KeptInstance, Situation } from "./situation.ts";
import { isSuperseded } from "./superseded.ts";

// Two are paid for until the new one serves, and it may be outbid: what saves less than a tenth is not worth that.
const MOST_OF_PRICE = 0.9;
// One for the attempt, and one for the case that what serves is lost meanwhile.
const CREATES_LEFT = 2;

export const BACK_TO_BID_RULE: Rule = {
  name: "back_to_bid",
  observed:
    "`VAST_UPDATE_STRATEGY=surge`, it serves, it was rented on demand because bids had failed (`VAST_BID_FALLBACK`), none has failed within the last hour, and two creates are left",
  plan: "every 15 min (up to 2 h while there is none) look for a bid that is a tenth cheaper; where there is one, create an instance with it while this one serves; if that does not come up, go on as before and try again after 1 h, 2 h, at most a day",
  decide: withInstance((kept, situation) => {
    const { state, now } = situation;
    const { fallback } = state;
    const create = fallback === null ? null : cheaperBid(kept, situation);
    if (fallback === null || create === null) return null;
    if (fallback.found !== null && now - fallback.found.at <= FOUND_MS)
      return begin(kept, create, fallback.found.dollarsPerHour, situation);
    if (now < fallback.until) return null;
    return { ...ready(kept, situation), actions: [{ kind: "look_for_bid", create }] };
  }),
};

/** The create of an instance with a bid that is worth it; null where none may be created now. */
function cheaperBid(kept: KeptInstance, situation: Situation): CreateAction | null {
  const { row } = kept;
  const { serving, state, seen, limits } = situation;
  if (limits.updateStrategy !== "surge" || limits.bidding?.fallsBack !== true) return null;
  if (serving.server === null || isSuperseded(situation)) return null;
  if (row.isBid || row.dollarsPerHour === null || state.fallback?.instanceIds.includes(row.id) !== true) return null;
  if (state.bidFailures.length > 0 || differenceOf(kept, situation) !== null) return null;
  if (state.creates.length > limits.maxCreatesPerHour - CREATES_LEFT) return null;
  const isQuiet = state.intent === null && state.pendingDeletes.length === 0 && state.updating === null;
  if (!isQuiet || !seen.bans.known || wholeList(seen) === null) return null;
  const create = createAction(situation);
  if (create.bid === undefined) return null;
  const ceiling = Math.min(row.dollarsPerHour * MOST_OF_PRICE, limits.maxDollarsPerHour ?? Number.POSITIVE_INFINITY);
  return { ...create, maxDollarsPerHour: ceiling };
}

function begin({ row, name }: KeptInstance, create: CreateAction, found: number, situation: Situation): Decision {
  const { serving, now } = situation;
  const wanted = `a bid: ${perHour(found)} instead of ${perHour(row.dollarsPerHour ?? 0)} an hour`;
  const besides = { id: row.id, wanted, reported: "a price on demand", toBid: true };
  return {
    reason: "surging",
    message: `back to ${wanted}; ${name} serves until another one does, which is created now`,
    state: "ready",
    serving,
    actions: [{ ...create, besides }],
    checkedAt: now,
    nextCheckAt: now,
  };
}

const perHour = (dollars: number) => `$${dollars.toFixed(4)}`;
