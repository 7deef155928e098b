// Decides one pass: the first rule that applies gives the answer. Pure: everything it knows is in its arguments.
import type { Published } from "../model/observation.ts";
import type { Action, Decision } from "../model/plan.ts";
import { BLOCKING_RULES } from "./blocking-rules.ts";
import { CONTRACT_END_RULE } from "./contract-end.ts";
import { FAILED_RULES } from "./failed-instance.ts";
import { withoutHeldDestroy } from "./held-destroy.ts";
import { banStoreActions, lostContractActions, pendingDeleteActions } from "./housekeeping.ts";
import type { PlanInput } from "./input.ts";
import { DESTROYING_RULE, NO_INSTANCE_RULES } from "./no-instance.ts";
import { DESIRED_RULES, DUPLICATE_RULE } from "./one-instance.ts";
import { withPartialList } from "./partial-list.ts";
import { noChange, type Rule } from "./rule.ts";
import { type Situation, situationOf } from "./situation.ts";
import { SURGING_RULE } from "./surging.ts";
import { TEMPLATE_RULES } from "./template.ts";
import { UNDO_RULE, withUndo } from "./undo-update.ts";
import { UNRESPONSIVE_RULES } from "./unresponsive.ts";
import { UPDATING_RULE } from "./update-in-place.ts";

const INTERNAL_ERROR_RULE = {
  name: "internal_error",
  observed: "anything else",
  plan: "change nothing; `blocked: internal_error`, logged as an error",
  decide(situation: Situation): Decision {
    const ids = situation.instances.map(({ row }) => row.id).join(", ");
    const message = `no rule applies to the listed instances (${ids || "none"}): this is a bug in vast-pod, please report it`;
    return noChange(situation, "internal_error", message, "blocked");
  },
} satisfies Rule;

/** The decision table, in order. */
export const RULES: readonly Rule[] = [
  ...BLOCKING_RULES,
  SURGING_RULE,
  DUPLICATE_RULE,
  UNDO_RULE,
  DESTROYING_RULE,
  ...TEMPLATE_RULES,
  CONTRACT_END_RULE,
  ...DESIRED_RULES,
  ...FAILED_RULES,
  UPDATING_RULE,
  ...UNRESPONSIVE_RULES,
  ...NO_INSTANCE_RULES,
  INTERNAL_ERROR_RULE,
];

/** The decision table for the documents. */
export const DECISION_TABLE: readonly { rule: string; observed: string; plan: string }[] = RULES.map(
  ({ name, observed, plan }) => ({ rule: name, observed, plan }),
);

/** The rule that decides, and its answer. */
export function firstRule(situation: Situation): { rule: Rule; decision: Decision } {
  for (const rule of RULES) {
    const decision = rule.decide(situation);
    if (decision !== null) return { rule, decision };
  }
  return { rule: INTERNAL_ERROR_RULE, decision: INTERNAL_ERROR_RULE.decide(situation) };
}

/** Decides one pass. `published` is what the upstream file holds now. */
export function decide(input: PlanInput, published: Published): Decision {
  const situation = situationOf(input, published);
  const { rule, decision: first } = firstRule(situation);
  const decision = withPartialList(withoutHeldDestroy(withUndo(first, situation), situation), situation);
  if (BLOCKING_RULES.includes(rule)) return decision;
  return { ...decision, actions: [...housekeeping(situation), ...decision.actions] };
}

/** What is done before the decision is carried out, whatever it is. */
function housekeeping(situation: Situation): Action[] {
  return [
    ...pendingDeleteActions(situation),
    ...(situation.limits.bansEnabled ? banStoreActions(situation) : []),
    ...lostContractActions(situation),
  ];
}
