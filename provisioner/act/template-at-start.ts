// Makes the account's template as the template file says when a pod starts, and tries again until that is done. Touches the API and, with a
// fleet, Redis.
import { exponentialMs } from "../../common/backoff.ts";
import type { Logger } from "../../common/logging.ts";
import type { WantedTemplate } from "../template/file.ts";
import { asVastError } from "../vast/errors.ts";
import { type ApplyTemplateParts, applyTemplate } from "./apply-template.ts";

export interface TemplateAtStartParts extends ApplyTemplateParts {
  log: Logger;
  mark: string;
  /** The account names the keys in Redis. */
  readAccountId(signal: AbortSignal): Promise<number>;
}

// While another pod writes it, it is done within seconds.
const WAITING_MS = 3000;
const FAILED_MS = { first: 10_000, ceiling: 600_000 };

/** Resolves when the account has the content, or `stop` is aborted. What the API refuses is logged: the pod goes on meanwhile. */
export async function applyUntilDone(
  parts: TemplateAtStartParts,
  wanted: WantedTemplate,
  name: string,
  stop: AbortSignal,
): Promise<void> {
  const { clock, log } = parts;
  let failures = 0;
  while (!stop.aborted) {
    let waitMs: number;
    try {
      if (parts.record !== null) await parts.readAccountId(stop);
      if (await applied(parts, wanted, name)) return;
      waitMs = WAITING_MS;
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

/** False: another program is at it. */
async function applied(parts: TemplateAtStartParts, wanted: WantedTemplate, name: string): Promise<boolean> {
  const { record, mark, log } = parts;
  if (record !== null && (await record.isApplied(name, mark))) {
    log.debug({ event: "template" }, `another pod has made sure of the template "${name}"`);
    return true;
  }
  const outcome = await applyTemplate(parts, wanted, name);
  if (outcome.kind === "waiting") return false;
  if (outcome.kind === "same") return true;
  const { created, template, left } = outcome;
  const what = `the template "${name}" was ${created ? "created" : "edited"} as VAST_TEMPLATE_FILE says`;
  log.info({ event: "template", taken: template.id }, `${what}: ${template.id}, hash ${template.hash}`);
  if (left.length > 0) {
    const fields = left.map(({ field }) => field).join(", ");
    log.warn({ event: "template" }, `${what}, but the API shows these fields in another way: ${fields}`);
  }
  return true;
}
