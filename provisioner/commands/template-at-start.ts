// Wires VAST_TEMPLATE_FILE into `run`. Touches the file, and what it is given.
import { createHmac } from "node:crypto";
import type { SettingsSource } from "../../common/settings.ts";
import { applyUntilDone } from "../act/template-at-start.ts";
import type { Fleet } from "../fleet/shared-reading.ts";
import { createTemplateRecord } from "../fleet/template-record.ts";
import type { LoopState } from "../loop-state.ts";
import type { ProvisionerSettings } from "../settings.ts";
import { readTemplateFile, type WantedTemplate } from "../template/file.ts";
import type { VastClient } from "../vast/client.ts";
import type { RunContext } from "./dependencies.ts";

/** The settings with the content of the template file, whose secrets are secrets of the program. Throws a `SettingsError`. */
export async function withTemplateFile(
  settings: ProvisionerSettings,
  { env, readFile }: SettingsSource,
): Promise<ProvisionerSettings> {
  if (settings.templatePath === undefined) return settings;
  const template = await readTemplateFile({ path: settings.templatePath, env, readFile });
  const { secrets } = settings;
  return { ...settings, template, secrets: { ...secrets, all: () => [...secrets.all(), ...template.secrets] } };
}

// The first pass waits so long at most: what serves is probed meanwhile, and a pod must not depend on a write.
const FIRST_PASS_WAITS_MS = 45_000;

/** `first`: the passes may begin; `done`: nothing is tried any more. A policy that changes nothing writes no template. */
export function templateAtStart(
  { settings, deps, log }: RunContext,
  loop: LoopState,
  { client, fleet }: { client: VastClient; fleet: Fleet | null },
  stop: AbortSignal,
): { first: Promise<void>; done: Promise<void> } {
  const { template, policy, desired, secrets } = settings;
  if (template === null || policy === "observe") return { first: Promise.resolve(), done: Promise.resolve() };
  const { clock } = deps;
  const record = fleet === null ? null : createTemplateRecord(fleet);
  const mark = markOf(template, secrets.apiKey());
  const { readAccountId } = client;
  const wasKnown = () => loop.state.template?.name === desired.templateName;
  const parts = { client, clock, log, record, mark, wasKnown, readAccountId };
  const done = applyUntilDone(parts, template, desired.templateName, stop);
  return { first: Promise.race([done, clock.sleep(FIRST_PASS_WAITS_MS, stop)]), done };
}

/** Says nothing about the content to whoever has not the API key: there are secrets in it. */
function markOf({ image, ports, env, login, fields }: WantedTemplate, apiKey: string): string {
  return createHmac("sha256", apiKey).update(JSON.stringify({ image, ports, env, login, fields })).digest("hex");
}
