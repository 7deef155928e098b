// The flags of a command: its own options first, then the settings that it reads. Pure.
import type { Options } from "yargs";
import type { Command } from "./command.ts";
import { GROUPS, type Variable, type VariableTable } from "./variables.ts";

/** Flags by name without dashes. */
export type FlagTable = Readonly<Record<string, Options>>;

export const flagOf = (setting: string) => setting.toLowerCase().replaceAll("_", "-");

/** The settings that a command reads, without the other ones of its program. */
export function settingsOf({ settings }: Pick<Command, "settings">, table: VariableTable): VariableTable {
  if (settings === "all") return table;
  return Object.fromEntries(Object.entries(table).filter(([name]) => settings.includes(name)));
}

export const secretsOf = (table: VariableTable) => Object.keys(table).filter((name) => table[name]?.secret);

// Above the groups of settings; --help and --version are there too.
const OWN_GROUP = "Options:";

/** What a command has before its settings. */
export function ownFlags({ options = {}, outputs }: Pick<Command, "options" | "outputs">): FlagTable {
  const flags: Record<string, Options> = {};
  for (const [name, option] of Object.entries(options)) flags[name] = { group: OWN_GROUP, ...option };
  if (outputs !== undefined) {
    flags.output = {
      alias: "o",
      choices: outputs,
      requiresArg: true,
      describe: `how the result is printed [${outputs[0]}]`,
      group: OWN_GROUP,
    };
    if (outputs.includes("json")) flags.json = { type: "boolean", describe: "the same as -o json", group: OWN_GROUP };
  }
  return flags;
}

/** All settings but the secrets, in kebab-case, group by group. */
export function settingFlags(table: VariableTable): FlagTable {
  const options: Record<string, Options> = {};
  for (const [group, heading] of Object.entries(GROUPS)) {
    for (const [name, v] of Object.entries(table)) {
      if (v.group !== group || v.secret) continue;
      const shown = shownDefault(v) === "" ? "" : ` [${shownDefault(v)}]`;
      options[flagOf(name)] = {
        describe: `${v.meaning}${shown}`,
        type: "string",
        requiresArg: true,
        group: `${heading}:`,
      };
    }
  }
  return options;
}

/** What every command has. */
export const HELP_FLAGS: FlagTable = { help: { type: "boolean", alias: "h" }, version: { type: "boolean" } };

/** Everything that may follow the name of a command. */
export function flagsOf(command: Command, table: VariableTable): FlagTable {
  return { ...ownFlags(command), ...settingFlags(settingsOf(command, table)), ...HELP_FLAGS };
}

export const takesValue = ({ type }: Options) => type !== "boolean";

// A switch like DEBUG may be given alone (`--debug`); its default shows that it is one.
const isSwitch = (v: Variable) => ["true", "false"].includes(shownDefault(v));
const SWITCH_WORDS = ["true", "false", "1", "0", "yes", "no", "on", "off"];

function shownDefault(v: Variable): string {
  return "default" in v ? (v.default ?? "") : "";
}

/** Turns `--debug` into `--debug=true`. yargs cannot do it: its booleans silently read `--debug=yes` as false. */
export function expandSwitches(table: VariableTable, args: readonly string[]): string[] {
  const flags = new Set(Object.entries(table).flatMap(([name, v]) => (isSwitch(v) ? [`--${flagOf(name)}`] : [])));
  return args.map((arg, i) =>
    flags.has(arg) && !SWITCH_WORDS.includes(args[i + 1]?.toLowerCase() ?? "") ? `${arg}=true` : arg,
  );
}
