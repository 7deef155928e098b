// Makes the account's template as the template file says: creates or edits it where it differs. Touches the API and, with a fleet, Redis.
import { type Clock, stopwatch } from "../../common/clock.ts";
import type { TemplateRecord, WritingTurn } from "../fleet/template-record.ts";
import { differences, type FieldDifference, templateBody } from "../template/compare.ts";
import type { WantedTemplate } from "../template/file.ts";
import type { VastClient } from "../vast/client.ts";
import { asVastError, isOutcomeUnknown, type VastError } from "../vast/errors.ts";
import type { Template } from "../vast/rows.ts";
import type { OwnTemplate } from "../vast/template-calls.ts";

export interface ApplyTemplateParts {
  client: Pick<VastClient, "templates" | "writeTemplate">;
  clock: Clock;
  /** Null without a fleet. */
  record: TemplateRecord | null;
  /**
   * Of a pod that starts: identifies the content, so that other pods need not look for themselves; a login alone is not written again then,
   * because each start would do that. Null for an operator's command.
   */
  mark: string | null;
  /** Told whether a reading has shown the template. False: that it is missing does not count yet. Null: every reading counts. */
  absence: { mayCreate(isShown: boolean): Promise<boolean> } | null;
}

export type TemplateOutcome =
  /** Another program is at it, or Redis does not answer. */
  | { kind: "waiting" }
  /** The reading shows no template, and that does not count yet. */
  | { kind: "absent" }
  | { kind: "same"; template: Template }
  /** `left`: what the API shows in another way than the file has it. */
  | { kind: "written"; template: Template; created: boolean; left: readonly FieldDifference[] };

// A write that was decided so long ago is not sent: the turn to write may be another pod's soon.
const SEND_WITHIN_MS = 30_000;
const MOST_READS = 3;

const ALONE: WritingTurn = { end: async () => undefined };

/** The API never shows a login, so a command writes it each time. Throws a `VastError` when the template could not be read or written. */
export async function applyTemplate(
  parts: ApplyTemplateParts,
  wanted: WantedTemplate,
  name: string,
): Promise<TemplateOutcome> {
  const turn = parts.record === null ? ALONE : await parts.record.begin(name);
  if (turn === null) return { kind: "waiting" };
  let written = true; // where it is unknown, what the pods have read may be old
  let mark: string | null = null;
  try {
    const [before = null] = await parts.client.templates(name);
    if (parts.absence !== null && !(await parts.absence.mayCreate(before !== null))) {
      written = false;
      return { kind: "absent" };
    }
    const differs = before === null || differences(wanted, before.row).length > 0;
    if (before !== null && !differs && (wanted.login === null || parts.mark !== null)) {
      written = false;
      ({ mark } = parts);
      return { kind: "same", template: before.template };
    }
    const outcome = await write(parts, wanted, name, before, !differs);
    // What the API shows in another way than the file has it would be written anew by each pod that starts.
    const isTaken = outcome.kind === "written" && outcome.template.hash !== before?.template.hash;
    if (outcome.kind === "written" && (outcome.left.length === 0 || isTaken)) ({ mark } = parts);
    return outcome;
  } finally {
    await turn.end(written, mark);
  }
}

/** For a template that was created from this content; one that is edited keeps the ports that it has. */
export function warningOfCreated({ ports }: WantedTemplate): string | null {
  if (ports !== null && ports.length > 0) return null;
  return "It publishes no port, because the file names none: the app of its instances cannot be reached. Add `ports` to the file";
}

/** What counts is what the account has afterwards: a refusal may mean that another pod was faster with the same content. */
/** What to do where another template has the content. */
export const UNDER_ANOTHER_NAME =
  "No template of the name was created: name that one in VAST_TEMPLATE_NAME, rename it, or change the content";

async function write(
  { client, clock }: ApplyTemplateParts,
  wanted: WantedTemplate,
  name: string,
  before: OwnTemplate | null,
  onlyLogin: boolean,
): Promise<TemplateOutcome> {
  const sinceMs = stopwatch(clock);
  const body = templateBody(wanted, name, before?.row ?? null);
  let answered: Template | null = null;
  let failure: VastError | null = null;
  try {
    const fence = () => sinceMs() < SEND_WITHIN_MS;
    answered = await client.writeTemplate(body, before?.template.hash ?? null, fence);
  } catch (error) {
    failure = asVastError(error);
    if (onlyLogin || !(failure.kind === "invalid" || failure.kind === "not_found" || isOutcomeUnknown(failure)))
      throw failure;
  }
  const created = before === null;
  for (let reads = 1; reads <= MOST_READS; reads += 1) {
    const [now] = await client.templates(name);
    if (now === undefined || (answered !== null && now.template.hash !== answered.hash)) continue;
    const left = differences(wanted, now.row);
    if (failure !== null && left.length > 0) break;
    return { kind: "written", template: now.template, created, left };
  }
  if (answered !== null && answered.name !== name)
    throw new Error(
      `the API answered with template ${answered.id}, ${JSON.stringify(answered.name)}, which has this content. ${UNDER_ANOTHER_NAME}`,
    );
  if (answered === null) throw failure ?? new Error(`the account has no template named ${JSON.stringify(name)}`);
  return { kind: "written", template: answered, created, left: [] };
}
