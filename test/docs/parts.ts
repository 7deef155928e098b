// The generated parts of the documents, by the names that their markers have. Touches what the sources of each part touch.
import { LOG_EVENTS, type LogEventDescription } from "../../common/log-events.ts";
import { GROUPS } from "../../common/variables.ts";
import { REASON_HELP } from "../../provisioner/model/reason-help.ts";
import { REASON_TEXTS } from "../../provisioner/model/reason-texts.ts";
import { commandRows, helpText, PROGRAMS } from "./commands.ts";
import { decisionRows } from "./decision-table.ts";
import { listItem, table } from "./markdown.ts";
import { type MetricRow, provisionerMetrics, reloaderMetrics } from "./metrics.ts";
import { settingRows } from "./settings.ts";
import { statusFieldRows } from "./status-fields.ts";

const PARTS: Readonly<Record<string, () => Promise<string | null>>> = {
  settings: async () => settings(({ group }) => !SELDOM.includes(group)),
  "seldom-settings": async () => settings(({ group }) => SELDOM.includes(group)),
  commands,
  "provisioner-help": () => help("vast-provisioner"),
  "reloader-help": () => help("vast-reloader"),
  "decision-table": decisionTable,
  "setting-details": async () => settingDetails(),
  reasons: async () => reasons(),
  "status-fields": async () => statusFields(),
  "provisioner-events": async () => events("provisioner"),
  "reloader-events": async () => events("reloader"),
  "provisioner-metrics": async () => metrics(await provisionerMetrics()),
  "reloader-metrics": async () => metrics(await reloaderMetrics()),
};

export const PART_NAMES: readonly string[] = Object.keys(PARTS);

/** The text of a part; null where its source does not exist yet. */
export function generatedPart(name: string): Promise<string | null> {
  const part = PARTS[name];
  if (part === undefined) throw new Error(`no generated part is called ${name}: use ${PART_NAMES.join(", ")}`);
  return part();
}

/** Groups that nobody needs in the first ten minutes. */
const SELDOM: readonly string[] = [GROUPS.nginx, GROUPS.tls, GROUPS.program];

function settings(belongs: (row: ReturnType<typeof settingRows>[number]) => boolean): string {
  let group = "";
  const rows = settingRows()
    .filter(belongs)
    .flatMap((row) => {
      const { name, shownDefault, meaning, isSecret } = row;
      const heading = row.group === group ? [] : [[`**${row.group}**`, "", ""]];
      group = row.group;
      return [...heading, [name, shownDefault, isSecret ? `${meaning}; secret` : meaning]];
    });
  return table(["variable", "default", "meaning"], rows);
}

/** What the table for the first ten minutes leaves out: who reads a setting, and its other names. */
function settingDetails(): string {
  const rows = settingRows().map(({ name, shownDefault, isSecret, formerly, programs, expects }) => [
    `\`${name}\``,
    programs.join(", "),
    shownDefault,
    [
      expects,
      ...(isSecret ? [`a secret: also in the file that \`${name}_FILE\` names`] : []),
      ...(formerly === undefined ? [] : [`formerly \`${formerly}\``]),
    ].join("; "),
  ]);
  return table(["setting", "read by", "default", "valid values"], rows);
}

/** A heading for each reason, so that it can be linked. */
function reasons(): string {
  const sections = Object.entries(REASON_HELP).map(([reason, { meaning, remedy, blocks }]) => {
    const { waitsFor, afterwards } = REASON_TEXTS[reason as keyof typeof REASON_TEXTS];
    const waits = `waits for ${waitsFor}; then ${afterwards}`;
    const points = [
      `Meaning: ${meaning}${blocks ? ". The pod can be `blocked` for it" : ""}`,
      `What happens: ${waits.replaceAll("{instance}", "the instance")}`,
      `What to do: ${remedy ?? "Nothing"}`,
    ];
    return `### ${reason}\n\n${points.map((point) => listItem(code(point))).join("\n")}`;
  });
  return sections.join("\n\n");
}

function statusFields(): string {
  return table(
    ["field", "meaning"],
    statusFieldRows().map(({ path, meaning }) => [`\`${path}\``, code(meaning)]),
  );
}

/** Settings and words of the API look like code. */
function code(text: string): string {
  return text.replaceAll(/(?<!`)\b([A-Z]+(?:_[A-Z]+)+|reliability2|user_read|instance_write)\b(?!`)/g, "`$1`");
}

async function commands(): Promise<string> {
  const rows = commandRows().map(({ program, usage, meaning, isDefault, flags }) => [
    `\`${program} ${usage}\``,
    `${meaning}${isDefault ? "; runs when no command is given" : ""}`,
    flags.map((flag) => `\`${flag}\``).join(" "),
  ]);
  return table(["command", "what it does", "own flags"], rows);
}

/** What each command prints with `--help`, below a heading. */
async function help(program: string): Promise<string> {
  const one = PROGRAMS.find(({ name }) => name === program);
  if (one === undefined) throw new Error(`there is no program ${program}`);
  const rows = commandRows().filter((row) => row.program === program);
  const texts = rows.map(
    async ({ name }) => `### ${program} ${name}\n\n\`\`\`text\n${await helpText(one, name)}\n\`\`\``,
  );
  return (await Promise.all(texts)).join("\n\n");
}

async function decisionTable(): Promise<string | null> {
  const rows = await decisionRows();
  if (rows === null) return null;
  return table(
    ["rule", "observed", "plan"],
    rows.map(({ rule, observed, plan }) => [`\`${rule}\``, observed, plan]),
  );
}

function events(program: "provisioner" | "reloader"): string {
  const all: [string, LogEventDescription][] = Object.entries(LOG_EVENTS);
  const rows = all.filter(([, { by }]) => by.includes(program)).map(([name, { meaning }]) => [`\`${name}\``, meaning]);
  return table(["event", "meaning"], rows);
}

function metrics(rows: readonly MetricRow[]): string {
  return table(
    ["metric", "type", "meaning"],
    rows.map(({ name, type, help, labels }) => [
      `\`${name}${labels.length === 0 ? "" : `{${labels.join(",")}}`}\``,
      type,
      help,
    ]),
  );
}
