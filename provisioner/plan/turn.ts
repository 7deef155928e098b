// Takes out of a decision what has to wait for the pod's turn among the pods with the same API key. Pure.
import type { PodTurn, Wish } from "../fleet/pod-turns.ts";
import { type Action, type Decision, type DestroyAction, givesUpServer } from "../model/plan.ts";
import type { DestroyReason } from "../model/reasons.ts";
import type { State } from "../state/schema.ts";

const LEAST_CHECK_MS = 500;
const MOST_CHECK_MS = 10_000;
// Of a pod that has no instance, and whose turn is far away. A longer time between two looks would count as not observed
// (state/unobserved.ts).
const FAR_MS = 60_000;
const MOST_FAR_CHECK_MS = 24_000;
// While Redis does not answer.
const UNKNOWN_CHECK_MS = 1000;

/**
 * What the decision wants a turn for. An instance that is one too many is destroyed without one, and so is one whose destroy was ordered:
 * only what can wait waits. A dead or banned one serves nobody, but a pass that waits for its DELETE sees nothing for up to a minute, and
 * where many are lost at once it is in vain.
 */
export function wishOf(decision: Decision, state: State, mayBeAlone: boolean): Wish | null {
  const lost = state.hasServed || mayBeAlone;
  const create = decision.actions.find((action) => action.kind === "create");
  if (create?.kind === "create") return { kind: create.besides === undefined ? "create" : "surge", lost };
  if (givesUpServer(decision)) return decision.actions.some(replaces) ? { kind: "replacement", lost } : null;
  return decision.actions.some(endsDead) ? { kind: "destroy", lost } : null;
}

/** The decision that may be carried out now. An outdated instance serves until its turn has come. */
export function untilTurn(decision: Decision, wish: Wish, turn: PodTurn): Decision {
  if (turn.kind === "now") return decision;
  const dead = decision.actions.flatMap((action) => (endsDead(action) ? [action.id] : []));
  const waits = (action: Action) => {
    if (wish.kind === "create" || wish.kind === "surge") return action.kind === "create";
    if (wish.kind === "replacement") return replaces(action);
    // Its host is banned when it is destroyed: it may come back.
    return action.kind === "ban" ? dead.includes(action.instanceId) : endsDead(action);
  };
  const checkMs = turn.kind === "unknown" ? UNKNOWN_CHECK_MS : turn.checkMs;
  const isFar = turn.kind === "later" && turn.waitMs > FAR_MS && wish.kind === "create";
  const mostMs = isFar && decision.serving.instance === null ? MOST_FAR_CHECK_MS : MOST_CHECK_MS;
  return {
    ...decision,
    reason: "waiting_for_turn",
    message: `${decision.message} (${messageOf(turn)})`,
    state: decision.serving.server === null ? decision.state : "ready",
    actions: [...decision.actions.filter((action) => !waits(action)), ...foreseen(decision, wish, turn)],
    nextCheckAt: decision.checkedAt + Math.min(Math.max(checkMs, LEAST_CHECK_MS), mostMs),
  };
}

/**
 * A bid that is too low need not wait for its turn to fail: the pod may be about to rent on demand. Without Redis each pod would search for
 * itself.
 */
function foreseen({ actions }: Decision, { kind }: Wish, turn: PodTurn): Action[] {
  if (kind !== "create" || turn.kind !== "later" || turn.guessed) return [];
  return actions.flatMap((action) =>
    action.kind === "create" && action.bid !== undefined ? [{ kind: "foresee_bid", create: action }] : [],
  );
}

function replaces(action: Action): boolean {
  return action.kind === "update" || (action.kind === "destroy" && action.difference !== undefined);
}

// What was decided or ordered before, and what is one too many: none of it is the instance that the pod keeps.
const AT_ONCE: ReadonlySet<DestroyReason> = new Set(["still_listed", "duplicate", "create_never_appeared", "operator"]);

function endsDead(action: Action): action is DestroyAction {
  return action.kind === "destroy" && !AT_ONCE.has(action.reason);
}

/** Rounded, because a message that changes in every pass would be logged in every pass. */
function messageOf(turn: Exclude<PodTurn, { kind: "now" }>): string {
  switch (turn.kind) {
    case "later": {
      const seconds = turn.waitMs / 1000;
      const long = seconds < 90 ? `${Math.max(rounded(seconds), 10)} s` : `${rounded(seconds / 60)} min`;
      return `waiting for its turn: ${before(rounded(turn.ahead))}, about ${long}`;
    }
    case "limit":
      return `waiting for its turn: ${turn.most} ${turn.most === 1 ? "pod is" : "pods are"} being replaced, which is what ${turn.by ?? "FLEET_MAX_UNAVAILABLE"} allows`;
    case "unknown":
      return "waiting for Redis to tell its turn";
  }
}

function before(ahead: number): string {
  if (ahead === 0) return "no other pod with this API key is before it";
  return ahead === 1 ? "1 pod with this API key is before it" : `about ${ahead} pods with this API key are before it`;
}

/** With one digit that counts. */
function rounded(value: number): number {
  const unit = 10 ** Math.max(Math.floor(Math.log10(Math.max(value, 1))), 0);
  return Math.round(value / unit) * unit;
}
