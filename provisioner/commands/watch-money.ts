// Wires what `run` reads of the money of the account, and what it accepts of higher prices (VAST_PRICE_INCREASE). Touches what it is given.
import { createPriceAcceptance } from "../act/accept-price.ts";
import { createAccountReadings } from "../fleet/account-readings.ts";
import { createMoneyReadings } from "../fleet/money-readings.ts";
import type { Fleet } from "../fleet/shared-reading.ts";
import type { Lease } from "../lease/lease.ts";
import type { LoopState } from "../loop-state.ts";
import { watchAccount } from "../observe/account-watch.ts";
import type { VastClient } from "../vast/client.ts";
import type { RunContext } from "./dependencies.ts";

/** Runs until `stop` is aborted. `pods`: how many the fleet has. A policy that changes nothing accepts nothing. */
export function watchMoney(
  { settings, deps, log }: RunContext,
  loop: LoopState,
  { client, lease, fleet, pods }: { client: VastClient; lease: Lease; fleet: Fleet | null; pods(): number },
  stop: AbortSignal,
): Promise<void> {
  const { clock, random } = deps;
  const sharing = { client, clock, fleet };
  const readings = { ...createAccountReadings(sharing), ...createMoneyReadings(sharing) };
  const { policy, priceIncrease } = settings;
  const { maxDollarsPerHour } = settings.limits;
  const accepts = priceIncrease === "accept-under-max" && policy !== "observe" && maxDollarsPerHour !== undefined;
  const { mayMutate } = lease;
  const accept = accepts ? createPriceAcceptance({ client, clock, log, maxDollarsPerHour, mayMutate }) : null;
  const acceptPrice = accept === null ? undefined : (stopped: AbortSignal) => accept(loop, stopped);
  return watchAccount({ readings, clock, random, log, label: settings.desired.label, pods, acceptPrice }, loop, stop);
}
