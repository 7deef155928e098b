// What a decision would do, step by step, until the pod has the instance that is wanted. Pure.
import type { Policy } from "../model/desired.ts";
import { type Action, type DestroyAction, givesUpServer } from "../model/plan.ts";
import { isPrechecked } from "../model/precheck.ts";
import { spentBudget } from "../plan/no-instance.ts";
import { type PlanDecision, replacesKept } from "./plan-decision.ts";
import type { PlanOffers } from "./plan-offers.ts";

export interface PlanStep {
  kind: "write_template" | "list_again" | "withdraw" | "destroy" | "update" | "raise_bid" | "ban" | "create";
  text: string;
  instanceId: number | null;
  offerId: number | null;
  /** VAST_POLICY forbids it. */
  suppressed: boolean;
}

export interface PlanSteps {
  steps: readonly PlanStep[];
  /** Why the steps are not taken although the rules want them; null when nothing prevents them. */
  obstacle: string | null;
}

/** What VAST_TEMPLATE_FILE changes in the account: a new template, or these fields of the one that is there. */
export type TemplateChange = { kind: "create" } | { kind: "edit"; fields: readonly string[] };

/** What `run` does before its first pass. What follows from the template's new hash is planned when that is known. */
export function templateSteps(change: TemplateChange | null, name: string, policy: Policy): PlanStep[] {
  if (change === null) return [];
  const text =
    change.kind === "create"
      ? `create the template "${name}" as VAST_TEMPLATE_FILE says`
      : `edit the template "${name}" as VAST_TEMPLATE_FILE says (${change.fields.join(", ")}), so that its instances are out of date`;
  return [{ kind: "write_template", text, instanceId: null, offerId: null, suppressed: policy === "observe" }];
}

/** `offers` null: they are not known. */
export function planSteps(
  plan: PlanDecision,
  offers: PlanOffers | null,
  creditDollars: number | null,
  drainMs: number,
): PlanSteps {
  const { decision, suppressed, situation, confirmsFirst } = plan;
  const steps: PlanStep[] = [];
  const add = (kind: PlanStep["kind"], text: string, by: Action, ids: Partial<PlanStep> = {}) =>
    steps.push({ kind, text, instanceId: null, offerId: null, suppressed: suppressed.includes(by), ...ids });
  const create = (by: Action) => {
    const [best] = offers?.best ?? [];
    add("create", createText(plan, offers), by, { offerId: best?.id ?? null });
  };
  for (const action of decision.actions) {
    if (action.kind === "ban" && action.target !== null)
      add("ban", `ban ${action.target.kind} ${action.target.id} (${action.reason})`, action);
    if (action.kind === "create") {
      if (confirmsFirst) add("list_again", "read the list again, which must be empty too", action);
      create(action);
    }
    if (action.kind === "raise_bid") {
      const { dollarsPerHour, unless } = action;
      const exception = unless
        ? `; replace it if another costs less than $${unless.belowDollarsPerHour.toFixed(4)}/h`
        : "";
      const text = `raise the bid of ${action.id} to $${dollarsPerHour.toFixed(4)}/h, and wait until it runs${exception}`;
      add("raise_bid", text, action, { instanceId: action.id });
    }
    if (action.kind !== "destroy" && action.kind !== "update") continue;
    const { instance, server } = decision.serving;
    if (server !== null && instance?.id === action.id)
      add("withdraw", `withdraw it from nginx, ${drainMs / 1000} s to drain`, action, { instanceId: action.id });
    if (action.kind === "update") {
      const text = `update ${action.id} in place (${action.reason}), and wait until the list shows it`;
      add("update", text, action, { instanceId: action.id });
      continue;
    }
    add("destroy", `destroy ${action.id} (${action.reason})`, action, { instanceId: action.id });
    if (replacesKept(action, situation.kept)) create(action);
  }
  return { steps, obstacle: obstacleOf(plan, offers, creditDollars) };
}

function createText({ situation }: PlanDecision, offers: PlanOffers | null): string {
  const spent = spentBudget(situation);
  if (spent !== null)
    return `create another at ${new Date(spent.refillAt).toISOString()} at the earliest (VAST_MAX_CREATES_PER_HOUR)`;
  if (offers === null) return "create one";
  const [best] = offers.best;
  return best === undefined
    ? "create one as soon as there is an offer: none can be taken now"
    : `create from offer ${best.id}`;
}

/** What `run` finds out before it gives up what serves, and before it pays. */
function obstacleOf(
  { decision, situation }: PlanDecision,
  offers: PlanOffers | null,
  creditDollars: number | null,
): string | null {
  const differs = decision.actions.find(
    (action): action is DestroyAction => action.kind === "destroy" && isPrechecked(action, situation.limits),
  );
  const replaces = differs !== undefined && givesUpServer(decision);
  const creates = decision.actions.some(({ kind }) => kind === "create");
  if (!replaces && !creates) return null;
  const why =
    creditDollars !== null && creditDollars <= 0
      ? "the account has no credit: add credit"
      : offers !== null && offers.left === 0
        ? "no offer can be taken: see below why"
        : null;
  if (why === null) return null;
  return replaces ? `it serves on, because no other instance can be created: ${why}` : `nothing can be created: ${why}`;
}
