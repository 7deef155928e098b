// What the operator must hear in good time: a contract that ends, a price that rises, a credit that runs out. Pure.
import type { Instance } from "../vast/rows.ts";
import { type AccountView, pendingPriceOf } from "./account-view.ts";
import { describe } from "./describe.ts";

/** `key` names what it is about: the same warning is logged once. */
export interface MoneyWarning {
  key: string;
  message: string;
}

const HOUR_MS = 3_600_000;
// Long enough to act in working hours.
const AHEAD_MS = 24 * HOUR_MS;

/** `rows`: the instances of the label that are not being destroyed. */
export function moneyWarnings(rows: readonly Instance[], account: AccountView, now: number): MoneyWarning[] {
  return [
    ...rows.flatMap((row) => [endWarning(row, now), priceWarning(row, account)]),
    creditWarning(rows, account),
  ].filter((one) => one !== null);
}

function endWarning(row: Instance, now: number): MoneyWarning | null {
  const { id, endsAt } = row;
  if (endsAt === null || endsAt <= now || endsAt - now > AHEAD_MS) return null;
  return {
    key: `end ${id} ${endsAt}`,
    message: `the contract of ${describe(row)} ends at ${iso(endsAt)}, in ${hours(endsAt - now)}: it is replaced VAST_END_MARGIN_SECONDS before that, or when Vast.ai has stopped it. To choose the time, destroy it in the console of Vast.ai earlier`,
  };
}

function priceWarning(row: Instance, account: AccountView): MoneyWarning | null {
  const pending = pendingPriceOf(row, account);
  if (pending === null || row.dollarsPerHour === null) return null;
  const until = pending.at === null ? "the end of the contract" : iso(pending.at);
  const [now, then] = [row.dollarsPerHour, pending.dollarsPerHour].map((price) => `$${price.toFixed(3)}/h`);
  return {
    key: `price ${row.id} ${then}`,
    message: `the host of ${describe(row)} asks for ${then} instead of ${now} from ${until} on: to keep the instance, accept that in the console of Vast.ai, or set VAST_PRICE_INCREASE and VAST_MAX_DPH; otherwise its contract ends then, and it is replaced before that`,
  };
}

function creditWarning(rows: readonly Instance[], { credit }: AccountView): MoneyWarning | null {
  const rate = rows.reduce((sum, { dollarsPerHour }) => sum + (dollarsPerHour ?? 0), 0);
  if (credit === null || rate === 0 || credit.dollars >= rate * (AHEAD_MS / HOUR_MS)) return null;
  const left = hours((Math.max(credit.dollars, 0) / rate) * HOUR_MS);
  return {
    key: "credit",
    message: `the credit of the account, $${credit.dollars.toFixed(2)}, lasts ${left} for this pod alone ($${rate.toFixed(3)}/h): add credit. At 0 Vast.ai stops all instances of the account`,
  };
}

const iso = (at: number) => new Date(at).toISOString();
const hours = (ms: number) => `${(ms / HOUR_MS).toFixed(1)} h`;
