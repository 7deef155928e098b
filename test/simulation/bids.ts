// Draws pods that rent with bids, higher bids of others, and the forms in which the API shows them. Pure.
import type { JsonObject } from "../emulator/json.ts";
import type { Random } from "../emulator/random.ts";
import type { Injection, Scenario } from "./scenario.ts";

const HOUR_MS = 3_600_000;
const BID_RUNS = 0.5;
const BID_PART = 0.7;
const PER_POD_HOUR = 1.5;
/** $/h: most offers cost less on demand, so that the fallback finds some. */
const CEILING = "0.8";
const ABOVE_CEILING = 2;
const FIXED = "0.1";
// After a crowd of bidders no bid is enough for a while.
const CROWD_RUNS = 0.3;
const CROWD = { bids: 5, apartMs: 300_000 };

export function drawBids(
  random: Random,
  pods: number,
  faultsEndMs: number,
): { bids: NonNullable<Scenario["bids"]>; emulator: JsonObject; injections: Injection[] } {
  const isBidRun = random.chance(BID_RUNS);
  const some = Array.from({ length: pods }, (_, pod) => pod).filter(() => random.chance(BID_PART));
  const env = {
    VAST_INSTANCE_TYPE: "interruptible",
    VAST_MAX_DPH: CEILING,
    VAST_BID: random.pick(["1.2x", "1x", FIXED]),
    VAST_BID_FALLBACK: random.pick(["ondemand", "none"]),
  };
  // A fixed price can be below every offer for good. Without the fallback nothing serves then, and that is what was asked for.
  if (env.VAST_BID === FIXED) env.VAST_BID_FALLBACK = "ondemand";
  const emulator = {
    lowBid: random.pick(["stopped-contract", "accepted-stopped", "no_such_ask"]),
    outbidIntendedStatus: random.pick(["stopped", "running"]),
    outbidAtCreateProbability: random.pick([0, 0.1, 0.4]),
  };
  if (!isBidRun || some.length === 0) return { bids: { pods: [], env }, emulator: {}, injections: [] };
  const outbid = (at: number, pod: number): Injection => {
    const body: JsonObject = random.chance(0.5) ? {} : { minBid: random.pick([0.2, 0.6, ABOVE_CEILING]) };
    const undo = random.chance(0.2) ? { event: "free", afterMs: random.integer(5000, 600_000) } : null;
    return { kind: "instance", at, pod, event: "outbid", body, undo };
  };
  const count = Math.round((PER_POD_HOUR * some.length * faultsEndMs) / HOUR_MS);
  const injections = Array.from({ length: count }, () =>
    outbid(random.integer(0, faultsEndMs), random.pick([some[0] ?? 0, ...some])),
  );
  if (random.chance(CROWD_RUNS)) {
    const pod = random.pick([some[0] ?? 0, ...some]);
    const from = random.integer(0, Math.max(0, faultsEndMs - CROWD.bids * CROWD.apartMs));
    for (let i = 0; i < CROWD.bids; i += 1)
      injections.push(outbid(Math.min(from + i * CROWD.apartMs, faultsEndMs), pod));
  }
  return { bids: { pods: some, env }, emulator, injections };
}
