// Removes from a decision the actions that the operator's policy forbids, or that an old list may not decide. Pure.
import type { Policy } from "../model/desired.ts";
import { mayDecide, type Observation, type Published } from "../model/observation.ts";
import { type Action, type Decision, givesUpServer, interruptsInstance, withoutActions } from "../model/plan.ts";
import { NEXT_CHECK_MS } from "./rule.ts";

// A decision that wants the next pass at once would spin while its actions are suppressed.
const SUPPRESSED_RECHECK_MS = 5000;

/** The decision that may be carried out. Its message names the suppressed mutations. */
export function applyPolicy(decision: Decision, policy: Policy): { decision: Decision; suppressed: readonly Action[] } {
  const actions = decision.actions.filter((action) => allowed(action, policy)).map((one) => possible(one, policy));
  const suppressed = decision.actions.filter((action) => !allowed(action, policy));
  const mutations = suppressed.flatMap((action) => {
    if (action.kind === "destroy") return [`destroy ${action.id} (${action.reason})`];
    if (action.kind === "update") return [`update ${action.id} (${action.reason})`];
    if (action.kind === "raise_bid") return [`raise the bid of ${action.id}`];
    return action.kind === "create" || action.kind === "ban" ? [action.kind] : [];
  });
  if (mutations.length === 0) return { decision: { ...decision, actions }, suppressed };
  const { serving, state } = decision;
  const keptState = serving.server === null ? "unavailable" : "ready";
  return {
    decision: {
      ...decision,
      state: interruptsInstance(suppressed, serving.instance?.id) ? keptState : state,
      message: `${decision.message} (suppressed by VAST_POLICY=${policy}: ${mutations.join(", ")})`,
      actions,
      nextCheckAt: Math.max(decision.nextCheckAt, decision.checkedAt + SUPPRESSED_RECHECK_MS),
    },
    suppressed,
  };
}

/**
 * The decision of the first look after a time in which nobody looked. What it sees may only follow from the pause, as a connection that
 * broke meanwhile: nothing is changed before the next look. An end that was ordered before is carried through.
 */
export function afterGap(decision: Decision, published: Published): Decision {
  const actions = decision.actions.filter((action) =>
    action.kind === "destroy" ? action.reason === "still_listed" : !WAITS_FOR_NEXT_LOOK.has(action.kind),
  );
  if (actions.length === decision.actions.length) return decision;
  const why = `nobody has looked for a while: this is decided again in ${NEXT_CHECK_MS / 1000} s`;
  return { ...postponed(decision, published, why), actions };
}

const WAITS_FOR_NEXT_LOOK: ReadonlySet<Action["kind"]> = new Set([
  "create",
  "update",
  "raise_bid",
  "ban",
  "forget_intent",
]);

const NEEDS_FRESH_LIST: ReadonlySet<Action["kind"]> = new Set([
  "create",
  "destroy",
  "update",
  "raise_bid",
  "forget_intent",
]);

/** True for actions that an old list may not decide. */
export function needsFreshList(actions: readonly Action[]): boolean {
  return actions.some(({ kind }) => NEEDS_FRESH_LIST.has(kind));
}

/** True where the list may not decide about these actions: it was asked for before the pass, or is too old by now. */
export function isListTooOld(actions: readonly Action[], seen: Observation, began: number, now: number): boolean {
  return needsFreshList(actions) && (seen.listedAt < began || !mayDecide(seen, now));
}

/** The decision while it waits for a newer list than it was made from. */
export function untilListed(decision: Decision, published: Published): Decision {
  return postponed(decision, published, "waiting for a fresh instance list");
}

/**
 * A server that will be given up soon is not published anew before that: the new pod of a rollout would be ready for some seconds, and
 * Kubernetes would stop the next pod while this one has no instance.
 */
function postponed(decision: Decision, published: Published, why: string): Decision {
  const waiting = withoutActions(decision, why, NEXT_CHECK_MS);
  if (published.server !== null || !givesUpServer(decision)) return waiting;
  return { ...waiting, state: decision.state, serving: { ...decision.serving, server: null } };
}

/** Where nothing may be destroyed, no cheaper instance can take the place of one that was outbid. */
function possible(action: Action, policy: Policy): Action {
  if (action.kind !== "raise_bid" || policy !== "no-destroy") return action;
  const { unless: _, ...raise } = action;
  return raise;
}

function allowed(action: Action, policy: Policy): boolean {
  switch (policy) {
    case "sync":
      return true;
    case "no-destroy":
      // A second instance could not be ended, so none is looked for.
      if (action.kind === "create") return action.besides === undefined;
      return !["destroy", "check_replacement", "look_for_bid"].includes(action.kind);
    case "observe":
      return action.kind === "forget_intent";
  }
}
