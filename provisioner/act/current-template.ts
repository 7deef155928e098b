// Reads the template that a create takes: its hash as it is now. Touches the API, and Redis where the pods share what they read.
import type { Clock } from "../../common/clock.ts";
import type { AccountReadings } from "../fleet/account-readings.ts";
import type { Observation } from "../model/observation.ts";
import type { Template } from "../vast/rows.ts";

// A template that was read this recently is not read again: that would cost its endpoint's 3 s.
const TEMPLATE_FRESH_MS = 15_000;

/** Reads the template again unless this pass has just done so. */
export async function currentTemplate(
  { readings, clock }: { readings: AccountReadings; clock: Clock },
  templateName: string,
  { template, templateAt }: Observation,
  stop: AbortSignal,
): Promise<{ value: Template | null; readAt: number }> {
  if (template.known && clock.now() - templateAt < TEMPLATE_FRESH_MS)
    return { value: template.value, readAt: templateAt };
  return readings.template(templateName, { freshMs: TEMPLATE_FRESH_MS, usableMs: TEMPLATE_FRESH_MS }, stop);
}
