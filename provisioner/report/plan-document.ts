// The document of the command `plan`: wanted beside is, the decision with its steps, offers, bans, budget and credit. Pure.
import { whyText } from "../model/account.ts";
import { banOf } from "../model/bans.ts";
import { CREATE_BUDGET_MS } from "../model/deadlines.ts";
import { describe } from "../model/describe.ts";
import { matchesDesired, type ValueMatch } from "../model/matches-desired.ts";
import type { Ban, Seen } from "../model/observation.ts";
import { decideForPlan, type PlanDecision, type PlanReading } from "./plan-decision.ts";
import type { PlanOffers } from "./plan-offers.ts";
import { type PlanStep, planSteps, type TemplateChange, templateSteps } from "./plan-steps.ts";

/** Grows when a field changes its meaning or goes away. */
const PLAN_SCHEMA = 1;

export interface PlanDocument {
  schema: typeof PLAN_SCHEMA;
  at: string;
  pod: string;
  label: string;
  policy: string;
  /** Whether it is known what would be done: without the instance list it is not. */
  known: boolean;
  /** Whether something would be created, destroyed, banned or written to the account now. */
  wouldAct: boolean;
  /** The state that would be published. */
  state: string;
  reason: string;
  message: string;
  steps: readonly PlanStep[];
  obstacle: string | null;
  image: Compared;
  template: Compared & { name: string };
  /** The instance that is kept; null when there is none. */
  instance: PlanInstance | null;
  /** Other instances with the label. */
  others: readonly { id: number; description: string }[];
  /** Null: they were not asked for, or the API did not answer; `notes` say why. */
  offers: PlanOffers | null;
  maxDollarsPerHour: number | null;
  /** Null: unknown. */
  bans: readonly Ban[] | null;
  /** Null: unknown, because the state file cannot be read here. */
  budget: { createsLeft: number; createsPerHour: number; freeAt: string | null } | null;
  /** Null: unknown. */
  creditDollars: number | null;
  /** What could not be read, and what that means. */
  notes: readonly string[];
}

interface Compared {
  wanted: string | null;
  is: string | null;
  match: ValueMatch | "none";
}

interface PlanInstance {
  id: number;
  description: string;
  status: string | null;
  /** The host's own words: text of a stranger. */
  statusMessage: string;
  hostId: number | null;
  machineId: number | null;
  /** Null: not banned, or unknown. */
  ban: Ban | null;
  dollarsPerHour: number | null;
  serving: boolean;
  /** What its probe found out; null while there is nothing to probe, then `endpointProblem` says why. */
  probe: { ok: boolean; host: string; port: number; why: string } | null;
  endpointProblem: string | null;
}

export interface PlanContext extends PlanReading {
  pod: string;
  drainMs: number;
  /** A whole sentence where the state file cannot be used; null where it was read. */
  stateProblem: string | null;
  /** Sentences about settings that are probably a mistake. */
  warnings: readonly string[];
  credit: Seen<number | null>;
  /** What the template file changes; null without one, and where nothing differs. */
  templateChange: Seen<TemplateChange | null>;
  offers: { known: true; value: PlanOffers } | { known: false; why: string };
}

export function planDocument(context: PlanContext, plan: PlanDecision = decideForPlan(context)): PlanDocument {
  const { pod, desired, limits, policy, seen, now } = context;
  const { situation, decision } = plan;
  const { kept, state } = situation;
  const offers = context.offers.known ? context.offers.value : null;
  const creditDollars = context.credit.known ? context.credit.value : null;
  const { steps: later, obstacle } = planSteps(plan, offers, creditDollars, context.drainMs);
  const change = seen.list.known && context.templateChange.known ? context.templateChange.value : null;
  const steps = [...templateSteps(change, desired.templateName, policy), ...later];
  const template = seen.template.known ? seen.template.value : null;
  const match = kept === null ? null : matchesDesired(kept.row, desired, template);
  return {
    schema: PLAN_SCHEMA,
    at: new Date(now).toISOString(),
    pod,
    label: desired.label,
    policy,
    known: seen.list.known,
    wouldAct: stepsTaken({ steps, obstacle }).some(({ kind }) => acts(kind)),
    state: decision.state,
    reason: decision.reason,
    message: decision.message,
    steps,
    obstacle,
    image: { wanted: desired.image, is: kept === null ? null : kept.row.image || null, match: match?.image ?? "none" },
    template: {
      name: desired.templateName,
      wanted: template?.hash ?? null,
      is: kept?.row.templateHash ?? null,
      match: match?.templateHash ?? "none",
    },
    instance: kept === null ? null : instanceOf(plan),
    others: situation.instances
      .filter(({ row }) => row.id !== kept?.row.id)
      .map(({ row }) => ({ id: row.id, description: describe(row) })),
    offers,
    maxDollarsPerHour: limits.maxDollarsPerHour ?? null,
    bans: seen.bans.known ? [...seen.bans.value, ...state.unwrittenBans.map(banAlone)] : null,
    budget: context.stored === null ? null : budgetOf(state.creates, limits.maxCreatesPerHour),
    creditDollars,
    notes: notesOf(context),
  };
}

const acts = (kind: PlanStep["kind"]) => ["write_template", "create", "destroy", "update", "ban"].includes(kind);

/** What neither VAST_POLICY nor an obstacle prevents: the template is written whatever keeps an instance from being created. */
export function stepsTaken({ steps, obstacle }: Pick<PlanDocument, "steps" | "obstacle">): PlanStep[] {
  return steps.filter(({ kind, suppressed }) => !suppressed && (obstacle === null || kind === "write_template"));
}

const banAlone = ({ kind, id, reason }: Ban): Ban => ({ kind, id, reason });

function instanceOf({ situation: { kept, seen, serving } }: PlanDecision): PlanInstance | null {
  if (kept === null) return null;
  const { row, probe, endpoint } = kept;
  return {
    id: row.id,
    description: describe(row),
    status: row.actualStatus,
    statusMessage: row.statusMessage,
    hostId: row.hostId,
    machineId: row.machineId,
    ban: seen.bans.known ? (banOf(row, seen.bans.value) ?? null) : null,
    dollarsPerHour: row.dollarsPerHour,
    serving: serving.server !== null && serving.instance?.id === row.id,
    probe: probe === null ? null : { ok: probe.ok, ...probe.endpoint, why: probe.why },
    endpointProblem: endpoint.found ? null : endpoint.why,
  };
}

function budgetOf(creates: readonly number[], perHour: number): NonNullable<PlanDocument["budget"]> {
  const createsLeft = Math.max(0, perHour - creates.length);
  const freeAt = createsLeft > 0 ? null : new Date(Math.min(...creates) + CREATE_BUDGET_MS).toISOString();
  return { createsLeft, createsPerHour: perHour, freeAt };
}

function notesOf({ seen, credit, offers, stateProblem, desired, warnings, templateChange }: PlanContext): string[] {
  const notes = [...warnings];
  if (!seen.list.known)
    notes.push(`The instance list is unknown (${whyText(seen.list.why)}): there is no plan without it.`);
  if (!seen.template.known)
    notes.push(`The template "${desired.templateName}" is unknown (${whyText(seen.template.why)}).`);
  else if (seen.template.value === null)
    notes.push(
      templateChange.known && templateChange.value === null
        ? `The account has no template named "${desired.templateName}": create it, or correct VAST_TEMPLATE_NAME.`
        : `What follows when the template "${desired.templateName}" is created is not part of this plan.`,
    );
  if (seen.template.known && !templateChange.known)
    notes.push(`What VAST_TEMPLATE_FILE changes is unknown (${whyText(templateChange.why)}).`);
  if (!seen.bans.known)
    notes.push(`The bans are unknown (${seen.bans.why.message}): offers on banned hosts may be shown.`);
  if (!offers.known) notes.push(offers.why);
  if (!credit.known) notes.push(`The credit is unknown (${whyText(credit.why)}).`);
  if (stateProblem !== null) notes.push(stateProblem);
  return notes;
}
