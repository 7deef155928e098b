// Makes the account's template as the template file says when a pod starts, and tries again until that is done. Touches the API and, with a
// fleet, Redis.
import { exponentialMs } from "../../common/backoff.ts";
import { stopwatch } from "../../common/clock.ts";
import type { Logger } from "../../common/logging.ts";
import type { WantedTemplate } from "../template/file.ts";
import type { VastClient } from "../vast/client.ts";
import { asVastError } from "../vast/errors.ts";
import { type ApplyTemplateParts, applyTemplate, warningOfCreated } from "./apply-template.ts";

export interface TemplateAtStartParts extends Omit<ApplyTemplateParts, "absence"> {
  client: ApplyTemplateParts["client"] & Pick<VastClient, "listAccount">;
  log: Logger;
  mark: string;
  /** This pod has seen the template before. */
  wasKnown(): boolean;
  /** The account names the keys in Redis. */
  readAccountId(signal: AbortSignal): Promise<number>;
}

// While another pod writes it, it is done within seconds.
const WAITING_MS = 3000;
const FAILED_MS = { first: 10_000, ceiling: 600_000 };
// An answer without the template may be wrong. A second template of the name would replace every instance, so where something shows that
// there was one, it must be missing for longer than such an error of the API lasts.
const ABSENT_MS = 10_000;
const KNOWN_ABSENT_MS = 900_000;
const READ_ABSENT_AGAIN_MS = 30_000;

/** Resolves when the account has the content, or `stop` is aborted. What the API refuses is logged: the pod goes on meanwhile. */
export async function applyUntilDone(
  parts: TemplateAtStartParts,
  wanted: WantedTemplate,
  name: string,
  stop: AbortSignal,
): Promise<void> {
  const { clock, log } = parts;
  let failures = 0;
  const absence = watchAbsence(parts, name, stop);
  while (!stop.aborted) {
    let waitMs: number;
    try {
      if (parts.record !== null) await parts.readAccountId(stop);
      const outcome = await applied({ ...parts, absence }, wanted, name);
      if (outcome === "done") return;
      waitMs = outcome === "absent" ? absence.againMs() : WAITING_MS;
    } catch (error) {
      failures += 1;
      waitMs = exponentialMs(FAILED_MS.first, FAILED_MS.ceiling, failures);
      const failure = asVastError(error);
      const message = `the template "${name}" could not be made as VAST_TEMPLATE_FILE says (${failure.message}); the pod uses it as it is in the account, and it is tried again in ${waitMs / 1000} s`;
      if (!stop.aborted) log.warn({ event: "template", err: failure }, message);
    }
    await clock.sleep(waitMs, stop);
  }
}

/** How long every reading has shown no template, and whether that is long enough. */
function watchAbsence({ client, clock, log, wasKnown }: TemplateAtStartParts, name: string, stop: AbortSignal) {
  let missingMs: (() => number) | null = null;
  let isInUse: boolean | null = null;
  const neededMs = () => (isInUse === false ? ABSENT_MS : KNOWN_ABSENT_MS);
  /** Null: not known. */
  async function usesTemplates(): Promise<boolean | null> {
    if (wasKnown()) return true;
    try {
      const { lists } = await client.listAccount(stop);
      const all = [...lists.values()];
      return all.some((list) => !Array.isArray(list) || list.some(({ templateHash }) => templateHash !== null));
    } catch (error) {
      log.debug({ event: "template", err: asVastError(error) }, "it is not known whether the account uses templates");
      return null;
    }
  }
  return {
    async mayCreate(isShown: boolean): Promise<boolean> {
      if (isShown) {
        missingMs = null;
        return true;
      }
      const isFirst = missingMs === null;
      missingMs ??= stopwatch(clock);
      isInUse ??= await usesTemplates();
      if (missingMs() >= neededMs()) return true;
      const text = `the account shows no template "${name}": it is created if that is still so in ${neededMs() / 1000} s, because one answer may be wrong. To create it now: vast-provisioner template apply`;
      if (isFirst) log.warn({ event: "template" }, text);
      return false;
    },
    againMs: () => Math.min(neededMs(), READ_ABSENT_AGAIN_MS),
  };
}

async function applied(
  parts: TemplateAtStartParts & ApplyTemplateParts,
  wanted: WantedTemplate,
  name: string,
): Promise<"done" | "waiting" | "absent"> {
  const { record, mark, log } = parts;
  if (record !== null && (await record.isApplied(name, mark))) {
    log.debug({ event: "template" }, `another pod has made sure of the template "${name}"`);
    return "done";
  }
  const outcome = await applyTemplate(parts, wanted, name);
  if (outcome.kind === "waiting" || outcome.kind === "absent") return outcome.kind;
  if (outcome.kind === "same") return "done";
  const { created, template, left } = outcome;
  const what = `the template "${name}" was ${created ? "created" : "edited"} as VAST_TEMPLATE_FILE says`;
  log.info({ event: "template", taken: template.id }, `${what}: ${template.id}, hash ${template.hash}`);
  const warning = created ? warningOfCreated(wanted) : null;
  if (warning !== null) log.warn({ event: "template" }, `${what}. ${warning}`);
  if (left.length > 0) {
    const fields = left.map(({ field }) => field).join(", ");
    log.warn({ event: "template" }, `${what}, but the API shows these fields in another way: ${fields}`);
  }
  return "done";
}
