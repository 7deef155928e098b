// The rule for an instance whose contract ends soon: it is replaced before Vast.ai stops it. Pure.
import { heldReplacement, wasRefused } from "../state/held-replacement.ts";
import { mayReplaceForEnd } from "../state/replacements.ts";
import { contractMarginMs } from "./contract-margin.ts";
import { spentBudget } from "./no-instance.ts";
import { replacement } from "./replacement.ts";
import { noChange, type Rule, SERVING_MS, withInstance } from "./rule.ts";
import type { KeptInstance, Situation } from "./situation.ts";
import { beginSurge } from "./surge-start.ts";

// One row with a wrong date must not cost an instance.
const READS = 2;
const READS_APART_MS = 60_000;

/** What is wrong with the contract of the instance, in the words of a difference; null where its end is far, not known, or doubtful. */
export function contractEnd(
  { row, track }: KeptInstance,
  { limits, state, now }: Pick<Situation, "limits" | "state" | "now">,
): { wanted: string; reported: string } | null {
  const { endMarginMs } = limits;
  const { contractEnd: end } = track;
  if (endMarginMs === 0 || end === null || end.reads < READS || now - end.since < READS_APART_MS) return null;
  const began = row.createdAt ?? track.firstSeenAt;
  // What was found after its end lives on all the same: the date says nothing.
  if (end.at <= began || end.at <= track.firstSeenAt) return null;
  if (now < end.at - contractMarginMs(end.at, began, limits) || !mayReplaceForEnd(state, now)) return null;
  const at = new Date(end.at).toISOString();
  return { wanted: `a contract that goes on after ${at}`, reported: `a contract that ends at ${at}` };
}

export const CONTRACT_END_RULE: Rule = {
  name: "contract_ending",
  observed:
    "two lists, a minute apart, show that its contract ends within `VAST_END_MARGIN_SECONDS` (a contract of less than twice this time: within half of it), and fewer than two were replaced for that within an hour",
  plan: "replace it, with `VAST_UPDATE_STRATEGY=surge` by another one that is created while it serves; one that serves only if another one can be created, else `blocked` with what prevents that, and it serves until its end",
  decide: withInstance((kept, situation) => {
    const difference = contractEnd(kept, situation);
    if (difference === null) return null;
    const { state, serving, limits, now } = situation;
    const serves = serving.server !== null;
    const held = heldReplacement(state, kept.row.id, difference.wanted, now);
    if (held !== null && (serves || wasRefused(held.reason)))
      return noChange(situation, held.reason, held.message, "blocked", Math.min(SERVING_MS, held.until - now));
    const what = `${kept.name} has ${difference.reported}`;
    const spent = serves ? spentBudget(situation) : null;
    if (spent !== null) {
      const message = `${what}; it serves until then, because nothing may be created: ${spent.message}`;
      return noChange(situation, "create_budget", message, "blocked", SERVING_MS);
    }
    if (serves && limits.updateStrategy === "surge")
      return beginSurge(kept, { reason: "contract_ending", ...difference }, situation);
    return replacement(kept.row, situation, "contract_ending", `${what}; it is replaced before that`, difference);
  }),
};
