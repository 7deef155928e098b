// Filters a plan by what the operator lets happen. Pure.

import type { Policy } from "../model/desired.ts";
import type { Action, Plan } from "../model/plan.ts";
import { NEXT_CHECK_MS } from "./input.ts";

/** The plan that may be carried out. What was suppressed is said in its message, and what stands goes on serving. */
export function applyPolicy(plan: Plan, policy: Policy): { plan: Plan; suppressed: readonly Action[] } {
  const suppressed = plan.actions.filter((action) => !allowed(action, policy));
  const mutations = suppressed.filter(
    (action) => action.kind === "destroy" || action.kind === "create" || action.kind === "ban",
  );
  if (mutations.length === 0)
    return { plan: { ...plan, actions: plan.actions.filter((a) => allowed(a, policy)) }, suppressed };
  const what = mutations.map((action) =>
    action.kind === "destroy" ? `destroy ${action.id} (${action.reason})` : action.kind,
  );
  const destroysServing = suppressed.some(
    (action) => action.kind === "destroy" && action.id === plan.serving.instance?.id,
  );
  const kept = destroysServing
    ? { ...plan.serving, state: plan.serving.server === null ? ("unavailable" as const) : ("ready" as const) }
    : {};
  return {
    plan: {
      ...plan,
      ...kept,
      message: `${plan.message} (suppressed by VAST_POLICY=${policy}: ${what.join(", ")})`,
      actions: plan.actions.filter((action) => allowed(action, policy)),
      nextCheckAt: Math.max(plan.nextCheckAt, plan.checkedAt + SUPPRESSED_RECHECK_MS),
    },
    suppressed,
  };
}

/** The plan while it waits for a newer list than it was made from: what stands is served, nothing is changed. */
export function untilListed(plan: Plan): Plan {
  const { serving } = plan;
  return {
    ...plan,
    ...serving,
    state: serving.server === null ? plan.state : "ready",
    message: `${plan.message} (once the API, which has been asked too often, tells anew what there is)`,
    actions: [],
    nextCheckAt: plan.checkedAt + NEXT_CHECK_MS,
  };
}

// A plan that wants to go on at once would spin while its actions are suppressed.
const SUPPRESSED_RECHECK_MS = 5000;

function allowed(action: Action, policy: Policy): boolean {
  switch (policy) {
    case "sync":
      return true;
    case "no-destroy":
      return action.kind !== "destroy";
    case "observe":
      return action.kind === "forget_intent";
  }
}
