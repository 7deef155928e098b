// Draws a time in which no bid wins, near the end of the faults: pods that bid fall back to a price on demand, and those that surge go back
// to a bid when an hour without faults has passed. Pure.
import type { Random } from "../emulator/random.ts";
import type { Injection } from "./scenario.ts";

const MINUTE_MS = 60_000;
const SHORTAGE_RUNS = 0.8;
const LASTS_MS = 14 * MINUTE_MS;
const BEFORE_END_MS = 20 * MINUTE_MS;
const ABOVE_CEILING = 2;

/** `bidPods`: those that rent with bids. They lose what they have to a higher bid. */
export function drawBidShortage(random: Random, bidPods: readonly number[], faultsEndMs: number): Injection[] {
  const isShort = random.chance(SHORTAGE_RUNS);
  const at = faultsEndMs - LASTS_MS - random.integer(0, BEFORE_END_MS);
  if (!isShort || bidPods.length === 0 || at < 0) return [];
  const set = { lowBid: "no_such_ask", outbidAtCreateProbability: 1 };
  const body = { minBid: ABOVE_CEILING };
  return [
    { kind: "api-settings", at, forMs: LASTS_MS, set },
    ...bidPods.map(
      (pod): Injection => ({ kind: "instance", at: at + MINUTE_MS, pod, event: "outbid", body, undo: null }),
    ),
  ];
}
