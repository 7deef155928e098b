// The rules for a template that is missing or unknown. Pure.
import { interruptsInstance } from "../model/plan.ts";
import { FAILED_RULES } from "./failed-instance.ts";
import { BLOCKED_MS, noChange, type Rule } from "./rule.ts";
import type { Situation } from "./situation.ts";
import { UNRESPONSIVE_RULES } from "./unresponsive.ts";

// The template's hash changes rarely: for ten minutes without an answer the last known one is used.
const LAST_KNOWN_MS = 600_000;

export const TEMPLATE_RULES: readonly Rule[] = [
  {
    name: "template_not_found",
    observed: "the account has no template named `VAST_TEMPLATE_NAME`",
    plan: "create nothing and destroy only what is dead by the rules below; keep serving; `blocked: template_not_found`",
    decide(situation) {
      const { template } = situation.seen;
      if (!template.known || template.value !== null || isDead(situation)) return null;
      const message = `VAST_TEMPLATE_NAME is "${situation.desired.templateName}", but the account has no template of its own with that name: create it, or correct the name`;
      return noChange(situation, "template_not_found", message, "blocked", BLOCKED_MS);
    },
  },
  {
    name: "template_unknown",
    observed: "the template is unknown, and was last known more than 10 min ago",
    plan: "create nothing and destroy only what is dead by the rules below; keep serving; `blocked: template_unknown`",
    decide(situation) {
      const { seen, state, now, desired } = situation;
      if (seen.template.known || isFirstLook(situation) || isDead(situation)) return null;
      if (state.template !== null && now - state.template.seenAt <= LAST_KNOWN_MS) return null;
      const message = `the template "${desired.templateName}" is unknown (${seen.template.why.message}): nothing is changed until it is known. If this lasts, check VAST_URL and the rights of VAST_API_KEY`;
      return noChange(situation, "template_unknown", message, "blocked", BLOCKED_MS);
    },
  },
];

/** Before the second empty list the template is not read yet: `confirming_none` comes first. */
function isFirstLook({ instances, state }: Situation): boolean {
  return instances.length === 0 && state.intent === null && !state.confirmedNone;
}

/** An instance that a later rule would replace is billed for nothing: it is destroyed, and the create waits for the template. */
function isDead(situation: Situation): boolean {
  const { serving, kept } = situation;
  if (kept === null || serving.server !== null) return false;
  for (const rule of [...FAILED_RULES, ...UNRESPONSIVE_RULES]) {
    const decision = rule.decide(situation);
    if (decision !== null) return interruptsInstance(decision.actions, kept.row.id);
  }
  return false;
}
