// The `money` of the document of `/status`. Pure.
import type { LoopState } from "../loop-state.ts";
import type { Limits } from "../model/desired.ts";
import { wholeList } from "../model/observation.ts";
import type { StatusDocument } from "./status-document.ts";

export function moneyStatus(
  { state, seen, plan, account }: Pick<LoopState, "state" | "seen" | "plan" | "account">,
  { maxDollarsPerHour }: Pick<Limits, "maxDollarsPerHour">,
): StatusDocument["money"] {
  const { paid, wasted, since, instances } = state.money;
  const id = plan?.instance?.id;
  const { credit, billed } = account;
  return {
    dollarsPerHour: total(seen && wholeList(seen)),
    maxDollarsPerHour: maxDollarsPerHour ?? null,
    paidDollars: paid,
    wastedDollars: wasted,
    instanceDollars: id === undefined ? null : (instances[id]?.paid ?? null),
    since: iso(since),
    billed: billed === null ? null : { ...billed, since: isoOf(billed.since), at: isoOf(billed.at) },
    creditDollars: credit?.dollars ?? null,
    creditAt: iso(credit?.at ?? null),
  };
}

/** Null where an instance or its price is unknown. */
function total(rows: readonly { dollarsPerHour: number | null }[] | null): number | null {
  if (rows === null) return null;
  return rows.reduce<number | null>(
    (sum, { dollarsPerHour }) => (sum === null || dollarsPerHour === null ? null : sum + dollarsPerHour),
    0,
  );
}

const isoOf = (at: number) => new Date(at).toISOString();
const iso = (at: number | null) => (at === null ? null : isoOf(at));
