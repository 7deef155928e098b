// Row 5 of the table: whether the template is known well enough to act on. Pure.
import type { PlanInput } from "./input.ts";

// The template's hash changes rarely; for ten minutes without an answer the last known one is as good as an answer.
const LAST_KNOWN_MS = 600_000;

/** Null when the template may be relied on. */
export function templateTrouble({
  desired,
  seen,
  state,
  now,
}: PlanInput): { reason: "template_not_found" | "template_unknown"; message: string } | null {
  if (seen.template.known && seen.template.value !== null) return null;
  if (seen.template.known) {
    const message = `VAST_TEMPLATE_NAME is "${desired.templateName}", but the account has no template of its own with that name: create it, or correct the name`;
    return { reason: "template_not_found", message };
  }
  if (state.template !== null && now - state.template.seenAt <= LAST_KNOWN_MS) return null;
  return {
    reason: "template_unknown",
    message: `the template "${desired.templateName}" is unknown (${seen.template.why.message}): nothing is changed until it is known; if that lasts, check VAST_URL and the rights of VAST_API_KEY`,
  };
}
