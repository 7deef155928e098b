// Filters a plan by what the operator lets happen. Pure.
import { type Action, type Plan, SOON_MS } from "./input.ts";

export type Policy = "sync" | "no-destroy" | "observe";

/** The plan that may be carried out. What was held back is said in its message, and what stands goes on serving. */
export function applyPolicy(plan: Plan, policy: Policy): { plan: Plan; heldBack: readonly Action[] } {
  const heldBack = plan.actions.filter((action) => !allowed(action, policy));
  const mutations = heldBack.filter(
    (action) => action.kind === "destroy" || action.kind === "create" || action.kind === "ban",
  );
  if (mutations.length === 0)
    return { plan: { ...plan, actions: plan.actions.filter((a) => allowed(a, policy)) }, heldBack };
  const what = mutations.map((action) =>
    action.kind === "destroy" ? `destroy ${action.id} (${action.reason})` : action.kind,
  );
  const destroysStanding = heldBack.some(
    (action) => action.kind === "destroy" && action.id === plan.standing.instance?.id,
  );
  const kept = destroysStanding
    ? { ...plan.standing, state: plan.standing.server === null ? ("unavailable" as const) : ("ready" as const) }
    : {};
  return {
    plan: {
      ...plan,
      ...kept,
      message: `${plan.message} (held back by VAST_POLICY=${policy}: ${what.join(", ")})`,
      actions: plan.actions.filter((action) => allowed(action, policy)),
      nextCheckAt: Math.max(plan.nextCheckAt, plan.checkedAt + HELD_BACK_MS),
    },
    heldBack,
  };
}

/** The plan while it waits for a newer list than it was made from: what stands is served, nothing is changed. */
export function untilListed(plan: Plan): Plan {
  const { standing } = plan;
  return {
    ...plan,
    ...standing,
    state: standing.server === null ? plan.state : "ready",
    message: `${plan.message} (once the API, which has been asked too often, tells anew what there is)`,
    actions: [],
    nextCheckAt: plan.checkedAt + SOON_MS,
  };
}

// A plan that wants to go on at once would spin while it is held back.
const HELD_BACK_MS = 5000;

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
