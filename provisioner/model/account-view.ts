// What was last read about the money of the account, beside the passes. Pure data.
import type { PriceIncrease } from "../vast/account-calls.ts";
import type { Instance } from "../vast/rows.ts";

/** Each is null while it is unknown: not read yet, or the key lacks the right. */
export interface AccountView {
  /** $ that the account can still spend, and when that was read, epoch ms. */
  credit: { dollars: number; at: number } | null;
  priceIncreases: readonly PriceIncrease[] | null;
  /** $ charged for the label since `since`, traffic included. */
  billed: { dollars: number; since: number; at: number } | null;
}

export const NOTHING_READ: AccountView = { credit: null, priceIncreases: null, billed: null };

/** The price that the host of an instance asks for, and from when; null: none is announced. */
export function pendingPriceOf(
  row: Instance,
  { priceIncreases }: AccountView,
): { dollarsPerHour: number; at: number | null } | null {
  const pending = priceIncreases?.find(({ instanceId }) => instanceId === row.id);
  return pending === undefined ? null : priceAfter(row, pending);
}

/** The price of the instance if the increase is accepted. */
export function priceAfter(
  row: Instance,
  pending: PriceIncrease,
): { dollarsPerHour: number; at: number | null } | null {
  if (row.dollarsPerHour === null) return null;
  const disk = row.diskDollarsPerHour ?? 0;
  const gpus =
    pending.factor === null
      ? pending.gpuDollarsPerHour * (row.gpus ?? 1)
      : (row.dollarsPerHour - disk) * pending.factor;
  return { dollarsPerHour: gpus + disk, at: pending.endsAt ?? row.endsAt };
}
