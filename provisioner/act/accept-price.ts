// Accepts the higher price that the host of the instance asks for, where it stays under the ceiling: its contract then goes on. Touches the
// API.
import type { Clock } from "../../common/clock.ts";
import type { Logger } from "../../common/logging.ts";
import { type AccountView, priceAfter } from "../model/account-view.ts";
import { describe } from "../model/describe.ts";
import { type Observation, wholeList } from "../model/observation.ts";
import type { Plan } from "../model/plan.ts";
import type { PriceIncrease } from "../vast/account-calls.ts";
import type { VastClient } from "../vast/client.ts";
import { asVastError } from "../vast/errors.ts";
import type { Instance } from "../vast/rows.ts";
import { openSendWindow } from "./send-window.ts";

export interface AcceptPriceParts {
  client: Pick<VastClient, "priceIncreases" | "acceptPriceIncrease">;
  clock: Clock;
  log: Logger;
  /** $/h: nothing above it is accepted. */
  maxDollarsPerHour: number;
  /** Whether this provisioner holds the label's lease. */
  mayMutate(): Promise<boolean>;
}

/** What the loop knows. The account is what was read some minutes ago. */
export interface PriceLoop {
  readonly seen: Observation | null;
  readonly plan: Plan | null;
  account: AccountView;
}

// A refusal needs a person, and an announcement is made days before.
const AGAIN_MS = 600_000;
// By then a list shows the new end.
const SHOWN_MS = 600_000;
const NOT_PENDING = "no_pending_price_increase";

interface Sent {
  row: Instance;
  at: number;
  /** Without an answer it is unknown whether it was accepted. */
  answered: boolean;
  warned: boolean;
}

/** Called each minute. Only the instance that serves is worth a higher price. */
export function createPriceAcceptance(parts: AcceptPriceParts): (loop: PriceLoop, stop: AbortSignal) => Promise<void> {
  const { client, clock, log, maxDollarsPerHour } = parts;
  const triedAt = new Map<number, number>();
  let sent: Sent | null = null;

  /** The contract goes on when a list says so, not when the call was answered. */
  function verify(row: Instance): void {
    if (sent === null) return;
    const { row: before, at, answered, warned } = sent;
    if (row.id !== before.id) sent = null;
    else if (row.endsAt !== null && row.endsAt > (before.endsAt ?? 0)) {
      log.info(
        { event: "money", instance: row.id },
        `the contract of ${describe(row)} goes on until ${iso(row.endsAt)}`,
      );
      sent = null;
    } else if (answered && !warned && clock.now() - at > SHOWN_MS) {
      const message = `the higher price of ${describe(row)} was accepted, but the list does not show that its contract goes on: look at it in the console of Vast.ai`;
      log.warn({ event: "money", instance: row.id }, message);
      sent = { ...sent, warned: true };
    }
  }

  async function accept(row: Instance, { id }: PriceIncrease, stop: AbortSignal): Promise<boolean> {
    // What was read some minutes ago may have changed since.
    const newest = (await client.priceIncreases(stop)).find((one) => one.id === id && one.instanceId === row.id);
    if (newest === undefined || !isUnder(row, newest, maxDollarsPerHour)) return true;
    const price = `$${(priceAfter(row, newest)?.dollarsPerHour ?? 0).toFixed(3)}/h`;
    const mayBeSent = openSendWindow(clock);
    if (!(await parts.mayMutate())) return false;
    const message = `the host of ${describe(row)} asks for ${price}, which is not above VAST_MAX_DPH (${maxDollarsPerHour}): it is accepted`;
    log.info({ event: "money", instance: row.id }, message);
    sent = { row, at: clock.now(), answered: false, warned: false };
    await client.acceptPriceIncrease(id, mayBeSent, stop);
    sent = { ...sent, at: clock.now(), answered: true };
    return true;
  }

  return async (loop, stop) => {
    const row = servingRow(loop);
    if (row === null) return;
    verify(row);
    const pending = loop.account.priceIncreases?.find(({ instanceId }) => instanceId === row.id);
    if (pending === undefined || !isUnder(row, pending, maxDollarsPerHour)) return;
    if (clock.now() - (triedAt.get(pending.id) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS) return;
    triedAt.set(pending.id, clock.now());
    try {
      if (!(await accept(row, pending, stop))) return;
    } catch (error) {
      const failure = asVastError(error);
      if (failure.slug !== NOT_PENDING) {
        const message = `the higher price of ${describe(row)} was not accepted (${failure.message}); it is tried again in ${AGAIN_MS / 60_000} min`;
        if (!stop.aborted) log.warn({ event: "money", instance: row.id, err: failure }, message);
        return;
      }
    }
    const { priceIncreases } = loop.account;
    loop.account = { ...loop.account, priceIncreases: priceIncreases?.filter(({ id }) => id !== pending.id) ?? null };
  };
}

/** Null where it does not serve, differs from what is wanted, or is to be replaced. */
function servingRow({ seen, plan }: PriceLoop): Instance | null {
  if (seen === null || plan?.reason !== "instance_ready" || plan.server === null) return null;
  return wholeList(seen)?.find(({ id }) => id === plan.instance?.id) ?? null;
}

/** What else becomes dearer, and by how much, cannot be compared with a price for an hour. */
function isUnder(row: Instance, pending: PriceIncrease, maxDollarsPerHour: number): boolean {
  const price = priceAfter(row, pending)?.dollarsPerHour ?? null;
  return pending.otherCosts !== true && price !== null && price <= maxDollarsPerHour;
}

const iso = (at: number) => new Date(at).toISOString();
