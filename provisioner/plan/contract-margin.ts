// How long before the end of its contract an instance is replaced. Pure.
import type { Instance } from "../vast/rows.ts";
import type { PlanInput } from "./input.ts";

// Of a short contract the first half is used: it would otherwise be replaced as soon as it is there.
const PART_OF_LIFE = 1 / 2;

/** In ms. `began`: when the contract began, or null where no row says so (epoch ms). */
export function contractMarginMs(endsAt: number, began: number | null, { endMarginMs }: PlanInput["limits"]): number {
  return began === null ? endMarginMs : Math.min(endMarginMs, (endsAt - began) * PART_OF_LIFE);
}

/** By its row alone: whether that is enough to replace it, the rule for the end of a contract decides (contract-end.ts). */
export function endsSoon({ endsAt, createdAt }: Instance, { limits, now }: Pick<PlanInput, "limits" | "now">): boolean {
  if (limits.endMarginMs === 0 || endsAt === null || endsAt <= (createdAt ?? 0)) return false;
  return now >= endsAt - contractMarginMs(endsAt, createdAt, limits);
}
