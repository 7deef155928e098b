// Decides one pass. Pure: everything it knows is in its arguments; it touches nothing.
//
// The decision table, first match wins (`rows` in plan/ hold them in this order):
//  1 list unknown                      no mutation; the published server stays while its probe passes, for a bounded time
//  -  another provisioner's label       no mutation; keep serving; blocked (lease/ownership.ts tells when it is)
//  2 account trouble                   no mutation, no ban; keep serving; blocked
//  3 a doomed row is still listed      never published, never counted; asked again; no create for a while
//  4 two or more rows                  keep the best, destroy the rest
//  5 template missing or unknown       no mutation; keep serving; blocked
//  6 image differs                     replace
//  7 template hash differs             replace
//  8 serving                           publish it, whatever else is said about it
//  9 host banned                       replace
// 10 too many restarts                 replace (the ban is written at once, serving or not)
// 11 host failure in status_msg        ban, replace
// 12 image or disk failure             destroy, no ban, back off
// 13 lost, within its grace            wait
// 14 lost, longer                      replace
// 15 never ready, starting too long    ban if enabled, replace
// 16 never ready, runs, nothing answers  destroy, no ban; once more elsewhere, then blocked
// 17 never ready, within its time      wait
// 18 was ready, does not answer        wait, then replace; the second time in a row elsewhere: keep, blocked
// 19 none, a create is unresolved      wait until it is found or its deadline passes
// 20 none, never confirmed             a second empty list comes first
// 21 none, budget spent                blocked
// 22 none, backing off                 blocked
// 23 none, bans unknown                bounded wait, then without the filter
// 24 none                              create
// 25 anything else                     no mutation, blocked

import { accountMessage, OUT_OF_CREDIT, outOfCredit } from "../model/account.ts";
import type { Published } from "../model/observation.ts";
import { NOT_SERVING, type Plan } from "../model/plan.ts";
import { banStoreActions, choose, lostContractActions, pendingDeleteActions } from "./housekeeping.ts";
import { BLOCKED_MS, noChange, type PlanInput, UNKNOWN_MS } from "./input.ts";
import { planNone } from "./no-instance.ts";
import { leaseHeldByOther } from "./not-leaseholder.ts";
import { planOne } from "./one-instance.ts";
import { servingNow, servingWhileUnknown } from "./serving.ts";

/** Plans one pass from what is wanted, seen and remembered. `published` is what the upstream file says now. */
export function plan(facts: PlanInput, published: Published): Plan {
  const { seen, state, now, limits } = facts;
  if (!seen.list.known) {
    const serving = servingWhileUnknown(facts, published);
    const trouble = seen.list.why.account;
    const reason = trouble === null ? "list_unknown" : (`account_${trouble}` as const);
    const say =
      trouble === null
        ? `the instance list is unknown (${seen.list.why.message}): nothing is changed until it is known; if that lasts, check VAST_URL and this pod's way to it`
        : accountMessage(trouble, seen.list.why.message);
    const state = trouble !== null ? "blocked" : serving.server !== null ? "ready" : "unavailable";
    return noChange(facts, serving, reason, say, state, UNKNOWN_MS);
  }
  const rows = seen.list.value.filter((row) => !state.pendingDeletes.some((d) => d.id === row.id));
  const best = choose(rows, facts);
  const serving = best === null ? NOT_SERVING : servingNow(best, facts);
  const { ownership } = facts;
  if (ownership.kind !== "ours") return leaseHeldByOther(facts, serving, ownership);
  if (state.account !== null && state.account.until > now) {
    return noChange(facts, serving, `account_${state.account.trouble}`, state.account.message, "blocked", BLOCKED_MS);
  }
  if (outOfCredit(seen)) return noChange(facts, serving, "account_no_credit", OUT_OF_CREDIT, "blocked", BLOCKED_MS);
  const always = [...pendingDeleteActions(facts), ...(limits.bansEnabled ? banStoreActions(rows, facts) : [])];
  const lost = best === null ? [] : lostContractActions(facts);
  const then = best === null ? planNone(facts) : planOne(best, rows, facts, serving);
  return { ...then, serving, actions: [...always, ...lost, ...then.actions] };
}
