// The rule for an interruptible instance that was outbid, or started stopped: a higher bid under the ceiling brings it back sooner than
// another instance could come up. Pure.
import { raisedBid } from "../model/bid.ts";
import type { Decision, RaiseBidAction } from "../model/plan.ts";
import { waitFor } from "./one-instance.ts";
import { type Rule, withInstance } from "./rule.ts";
import type { KeptInstance, Situation } from "./situation.ts";

// A winning bid starts the contract within seconds, and a list shows that.
const COMES_BACK_MS = 60_000;
// Whoever bids against this pod does so again: another machine is cheaper then.
const MOST_RAISES = 3;

export const OUTBID_RULE: Rule = {
  name: "raising_bid",
  observed:
    "`VAST_INSTANCE_TYPE=interruptible`, it does not serve, its row shows a bid and a stopped contract, and a higher bid is not above `VAST_MAX_DPH`",
  plan: "raise the bid and wait 60 s for the contract to run; raise it again, three times in all, only if the smallest bid is above it by then",
  decide: withInstance((kept, situation) => {
    const { row, phase } = kept;
    const { limits, state, seen, now } = situation;
    if (limits.bidding === null || limits.maxDollarsPerHour === undefined) return null;
    if (phase.phase !== "lost" || phase.status !== "outbid") return null;
    if (seen.credit?.known === false) return null; // without credit everything is stopped, and no bid helps
    if (row.endsAt !== null && row.endsAt <= now) return null; // it was stopped because it has ended
    const raised = state.raisedBid?.instanceId === row.id ? state.raisedBid : null;
    if (raised !== null && raised.refused !== null) return null;
    const isTooLow = raised !== null && row.minBid !== null && row.minBid > raised.dollarsPerHour;
    if (raised !== null && !isTooLow)
      return now - raised.at < COMES_BACK_MS ? comesBack(kept, situation, raised.dollarsPerHour) : null;
    if (raised !== null && raised.times >= MOST_RAISES) return null;
    const price = raisedBid(row, limits.bidding.bid, limits.maxDollarsPerHour);
    return price === null ? null : raise(kept, situation, price);
  }),
};

function raise(kept: KeptInstance, situation: Situation, dollarsPerHour: number): Decision {
  const { row, name } = kept;
  const before = row.gpuDollarsPerHour === null ? "" : ` from ${perHour(row.gpuDollarsPerHour)}`;
  const message = `${name} is outbid${smallest(row)}: its bid is raised${before} to ${perHour(dollarsPerHour)}`;
  const action: RaiseBidAction = { kind: "raise_bid", id: row.id, dollarsPerHour };
  return {
    ...waitFor(kept.track, situation, "raising_bid", message),
    actions: [action],
    nextCheckAt: situation.now,
  };
}

function comesBack({ name, track }: KeptInstance, situation: Situation, dollarsPerHour: number): Decision {
  const message = `${name} was outbid, and its bid is raised to ${perHour(dollarsPerHour)}; it has ${COMES_BACK_MS / 1000} s to run again`;
  return waitFor(track, situation, "raising_bid", message);
}

const smallest = ({ minBid }: KeptInstance["row"]) =>
  minBid === null ? "" : ` (the smallest bid is ${perHour(minBid)})`;
const perHour = (dollars: number) => `$${dollars.toFixed(4)}/h`;
