// The rule for an interruptible instance that was outbid, or started stopped: a higher bid under the ceiling brings it back sooner than
// another instance could come up. But the raised price is paid for as long as it runs, so one that is much cheaper is rented instead. Pure.
import { raisedBid, worthReplacingBelow } from "../model/bid.ts";
import { wholeList } from "../model/observation.ts";
import type { CheaperOther, Decision, RaiseBidAction } from "../model/plan.ts";
import { usualStart } from "../state/boots.ts";
import { createAction } from "./no-instance.ts";
import { waitFor } from "./one-instance.ts";
import { type Rule, withInstance } from "./rule.ts";
import type { KeptInstance, Situation } from "./situation.ts";

// A winning bid starts the contract within seconds, and a list shows that.
const COMES_BACK_MS = 60_000;
// Whoever bids against this pod does so again: another machine is cheaper then.
const MOST_RAISES = 3;
// Where none of the image has been seen.
const USUAL_START_MS = 5 * 60_000;
// One for the cheaper instance, and one for the case that it does not come up.
const CREATES_LEFT = 2;

export const OUTBID_RULE: Rule = {
  name: "raising_bid",
  observed:
    "`VAST_INSTANCE_TYPE=interruptible`, it does not serve, its row shows a bid and a stopped contract, and a higher bid is not above `VAST_MAX_DPH`",
  plan: "raise the bid and wait 60 s for the contract to run; raise it again, three times in all, only if the smallest bid is above it by then. Where a search made before finds another machine that is a tenth cheaper and saves the cost of its start within an hour, and two creates are left: raise nothing, and replace it by the rows below",
  decide: withInstance((kept, situation) => {
    const { row, phase } = kept;
    const { limits, state, seen, now } = situation;
    if (limits.bidding === null || limits.maxDollarsPerHour === undefined) return null;
    if (phase.phase !== "lost" || phase.status !== "outbid") return null;
    if (seen.credit?.known === false) return null; // without credit everything is stopped, and no bid helps
    if (row.endsAt !== null && row.endsAt <= now) return null; // it was stopped because it has ended
    const raised = state.raisedBid?.instanceId === row.id ? state.raisedBid : null;
    if (raised !== null && (raised.refused !== null || raised.cheaper !== null)) return null;
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
  const unless = cheaperOther(kept, situation, dollarsPerHour);
  const exception = unless === null ? "" : `, unless another costs less than ${perHour(unless.belowDollarsPerHour)}`;
  const message = `${name} is outbid${smallest(row)}: its bid is raised${before} to ${perHour(dollarsPerHour)}${exception}`;
  const action: RaiseBidAction = { kind: "raise_bid", id: row.id, dollarsPerHour, ...(unless && { unless }) };
  return {
    ...waitFor(kept.track, situation, "raising_bid", message),
    actions: [action],
    nextCheckAt: situation.now,
  };
}

/** What would be rented instead; null while another instance could not be created soon. */
function cheaperOther({ row }: KeptInstance, situation: Situation, raised: number): CheaperOther | null {
  const { state, seen, limits, desired, now } = situation;
  if (row.diskDollarsPerHour === null || !seen.bans.known || wholeList(seen) === null) return null;
  if (state.account !== null || state.refusedEnd !== null) return null;
  const isQuiet = state.intent === null && state.pendingDeletes.length === 0;
  if (!isQuiet || (state.backoff !== null && state.backoff.until > now)) return null;
  if (state.creates.length > limits.maxCreatesPerHour - CREATES_LEFT) return null;
  const startMs = usualStart(state.boots, desired.image) ?? USUAL_START_MS;
  const belowDollarsPerHour = worthReplacingBelow(raised + row.diskDollarsPerHour, startMs);
  return { create: createAction(situation), machineId: row.machineId, belowDollarsPerHour };
}

function comesBack({ name, track }: KeptInstance, situation: Situation, dollarsPerHour: number): Decision {
  const message = `${name} was outbid, and its bid is raised to ${perHour(dollarsPerHour)}; it has ${COMES_BACK_MS / 1000} s to run again`;
  return waitFor(track, situation, "raising_bid", message);
}

const smallest = ({ minBid }: KeptInstance["row"]) =>
  minBid === null ? "" : ` (the smallest bid is ${perHour(minBid)})`;
const perHour = (dollars: number) => `$${dollars.toFixed(4)}/h`;
