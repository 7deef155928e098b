// `vast-provisioner template diff|apply|export`: wires settings, account, Redis and the template file. Touches all of these and the
// terminal.
import { systemClock as clock } from "../../common/clock.ts";
import { type CommandCall, EXIT, type ExitCode } from "../../common/command.ts";
import { createLogger } from "../../common/logging.ts";
import { SettingsError, type SettingsSource } from "../../common/settings.ts";
import { oneLine } from "../../common/terminal.ts";
import { type ApplyTemplateParts, applyTemplate, UNDER_ANOTHER_NAME, warningOfCreated } from "../act/apply-template.ts";
import { fleetKeys } from "../fleet/keys.ts";
import { createTemplateRecord, type TemplateRecord } from "../fleet/template-record.ts";
import { whyText } from "../model/account.ts";
import { openRedisForCommand } from "../redis/open.ts";
import { type TemplateDocument, templateNames, templateScreen } from "../screens/template-screen.ts";
import { differences } from "../template/compare.ts";
import { exportTemplate } from "../template/export.ts";
import { readTemplateFile, type WantedTemplate } from "../template/file.ts";
import type { VastClient } from "../vast/client.ts";
import { accountTrouble, VastError } from "../vast/errors.ts";
import { confirmOnTerminal } from "./confirm.ts";
import { connectAccount } from "./connect.ts";
import { processName } from "./dependencies.ts";
import { readTemplateCommandSettings, type TemplateCommandSettings } from "./template-settings.ts";

export async function templateCommand(call: CommandCall, source: SettingsSource): Promise<ExitCode> {
  try {
    return await carriedOut(call, source);
  } catch (error) {
    if (!(error instanceof VastError)) throw error;
    throw new Error(whyText({ message: error.message, account: accountTrouble(error) }));
  }
}

async function carriedOut(call: CommandCall, source: SettingsSource): Promise<ExitCode> {
  const settings = readTemplateCommandSettings(source);
  const { action } = call.options;
  const wanted = action === "export" ? null : await readFile(settings, source);
  const { client } = connectAccount({
    baseUrl: settings.vastUrl,
    apiKey: () => settings.apiKey,
    clock,
    random: Math.random,
    secrets: () => [...settings.secrets, ...(wanted?.secrets ?? [])],
  });
  if (wanted === null) return exportFrom(client, settings.templateName, call);
  const [found] = await client.templates(settings.templateName);
  const before: TemplateDocument = {
    schema: 1,
    name: settings.templateName,
    template: found === undefined ? null : { id: found.template.id, hash: found.template.hash },
    differences: differences(wanted, found?.row ?? {}),
    done: null,
    left: [],
  };
  const differs = before.template === null || before.differences.length > 0;
  if (action === "diff") {
    print(call, before);
    return differs && call.options["exit-code"] === true ? EXIT.differs : EXIT.done;
  }
  const forPeople = call.output === "table" || call.output === "wide";
  (forPeople ? call.terminal.out : call.terminal.err)(templateScreen(before, widthOf(call)));
  const writes = differs || wanted.login !== null;
  if (writes && call.options.yes !== true && !(await confirmOnTerminal(question(differs), "template apply"))) {
    call.terminal.err("Nothing was written.\n");
    return EXIT.failed;
  }
  return apply(call, settings, client, wanted, before);
}

const question = (differs: boolean) =>
  differs
    ? "Write it? Every pod with this template then replaces its instance."
    : "Write it again? The API does not show whether its registry login is the one of the file.";

async function readFile({ templatePath }: TemplateCommandSettings, { env, readFile: read }: SettingsSource) {
  if (templatePath === undefined)
    throw new SettingsError(["VAST_TEMPLATE_FILE is missing: set it to the path of the template file."]);
  return readTemplateFile({ path: templatePath, env, readFile: read });
}

// The API keeps each content once, and refuses a new template with the same one or answers with the existing one.
const EQUAL_CONTENT = /existing template found/i;

async function apply(
  call: CommandCall,
  { redis: address, templateName }: TemplateCommandSettings,
  client: VastClient,
  wanted: WantedTemplate,
  before: TemplateDocument,
): Promise<ExitCode> {
  // What a provisioner's log would say about Redis is in the error of the command.
  const log = createLogger({
    app: "vast-provisioner",
    debug: false,
    secrets: () => [],
    destination: { write: () => undefined },
  });
  const redis = address === null ? null : await openRedisForCommand(address, log, clock);
  try {
    let record: TemplateRecord | null = null;
    if (redis !== null) {
      const keys = fleetKeys(await client.readAccountId());
      record = createTemplateRecord({ redis, keys: () => keys, token: processName(clock) });
    }
    const parts: ApplyTemplateParts = { client, clock, record, mark: null, absence: null };
    const outcome = await applyTemplate(parts, wanted, templateName).catch((error: unknown) => {
      throw error instanceof VastError && EQUAL_CONTENT.test(error.message)
        ? new Error(`${error.message}. ${UNDER_ANOTHER_NAME}`)
        : error;
    });
    if (outcome.kind === "waiting" || outcome.kind === "absent")
      throw new Error(
        "another program is writing the template just now, or Redis does not answer: run it again in a minute",
      );
    const { id, hash } = outcome.template;
    const done = outcome.kind === "written" ? (outcome.created ? "created" : "edited") : "nothing";
    const left = outcome.kind === "written" ? outcome.left.map(({ field }) => field) : [];
    print(call, { ...before, template: { id, hash }, done, left });
    const warning = done === "created" ? warningOfCreated(wanted) : null;
    if (warning !== null) call.terminal.err(`${warning}.\n`);
    if (left.length === 0) return EXIT.done;
    call.terminal.err(`The API shows in another way than the file has it: ${left.map(oneLine).join(", ")}.\n`);
    return EXIT.failed;
  } finally {
    redis?.close();
  }
}

const widthOf = ({ output, terminal }: CommandCall) => (output === "wide" ? null : terminal.width());

function print(call: CommandCall, document: TemplateDocument): void {
  const { terminal, output } = call;
  if (output === "json") terminal.out(`${JSON.stringify(document)}\n`);
  else if (output === "name") terminal.out(templateNames(document));
  else if (document.done === null) terminal.out(templateScreen(document, widthOf(call)));
  else {
    const { template, done } = document;
    const hash = oneLine(template?.hash.slice(0, 8) ?? "");
    terminal.out(done === "nothing" ? "Nothing was written.\n" : `It was ${done}: ${template?.id}, ${hash}.\n`);
  }
}

async function exportFrom(client: VastClient, name: string, { terminal, output }: CommandCall): Promise<ExitCode> {
  const [found] = await client.templates(name);
  if (found === undefined)
    throw new Error(`the account has no template named ${JSON.stringify(name)}: correct VAST_TEMPLATE_NAME`);
  const { content, hidden } = exportTemplate(found.row);
  if (output === "json") terminal.out(`${JSON.stringify(content)}\n`);
  else if (output === "name")
    terminal.out(
      Object.keys(content)
        .map((field) => `${field}\n`)
        .join(""),
    );
  else {
    const { formatYaml } = await import("../template/yaml.ts");
    terminal.out(formatYaml(content));
  }
  if (hidden.length > 0)
    terminal.err(
      `Not in this file, because they may be secrets, or a file cannot have them: ${hidden.map(oneLine).join(", ")}.\n`,
    );
  return EXIT.done;
}
