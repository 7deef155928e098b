// The command line of both programs: flags from the table of settings, commands, exit codes. Touches only the streams and
// arguments that it gets; it never exits the process.
import type { Argv, Options } from "yargs";
import { messageOf } from "./errors.ts";
import { SettingsError } from "./settings.ts";
import { GROUPS, type Variable, type VariableTable } from "./variables.ts";

/** The result of a command, which becomes the exit code of the process. */
export const EXIT = { done: 0, failed: 1, badSettings: 2 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Settings given as flags; they override the environment. Goes into `SettingsSource.flags`. */
export type Flags = Partial<Record<string, string>>;

/** One parsed command line: the settings among the flags, and the command's own options and positionals. */
export interface CommandCall {
  flags: Flags;
  options: Readonly<Record<string, unknown>>;
}

export interface Command {
  /** In yargs' syntax: `run`, `bans <action> [host]`. */
  usage: string;
  meaning: string;
  /** What follows the program's name on an example command line, and what that does. Shown by `--help`. */
  example?: readonly [args: string, meaning: string];
  /** Runs when the command line names no command. One command of a program has it. */
  isDefault?: boolean;
  /** Adds the command's own options and positionals. */
  build?(cli: Argv): Argv;
  /** A `SettingsError` prints every problem and becomes exit code 2; any other error becomes 1. */
  run(call: CommandCall): Promise<ExitCode>;
}

export interface Program {
  name: string;
  variables: VariableTable;
  version: string;
  commands: readonly Command[];
}

/** Where text for people goes: results to `out`, problems to `err`. */
export interface Streams {
  out(text: string): void;
  err(text: string): void;
}

const flagOf = (name: string) => name.toLowerCase().replaceAll("_", "-");
const secretsOf = (table: VariableTable) => Object.keys(table).filter((name) => table[name]?.secret);

// A switch like DEBUG may be given alone (`--debug`); its default shows that it is one.
const isSwitch = (v: Variable) => ["true", "false"].includes(shownDefault(v));
const SWITCH_WORDS = ["true", "false", "1", "0", "yes", "no", "on", "off"];

function shownDefault(v: Variable): string {
  return "default" in v ? (v.default ?? "") : "";
}

/** The yargs options of a program's settings: all but the secrets, in kebab-case, group by group. */
export function optionsFor(table: VariableTable): Record<string, Options> {
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

/** Turns `--debug` into `--debug=true`. yargs cannot do it: its booleans silently read `--debug=yes` as false. */
function expandSwitches(table: VariableTable, args: readonly string[]): string[] {
  const flags = new Set(Object.entries(table).flatMap(([name, v]) => (isSwitch(v) ? [`--${flagOf(name)}`] : [])));
  return args.map((arg, i) =>
    flags.has(arg) && !SWITCH_WORDS.includes(args[i + 1]?.toLowerCase() ?? "") ? `${arg}=true` : arg,
  );
}

/** The settings among the arguments that yargs parsed. Throws a `SettingsError` when one is given twice. */
function flagsFrom(table: VariableTable, argv: Readonly<Record<string, unknown>>): Flags {
  const flags: Flags = {};
  const problems: string[] = [];
  for (const name of Object.keys(table)) {
    const value = argv[flagOf(name)];
    if (value === undefined) continue;
    if (Array.isArray(value)) problems.push(`--${flagOf(name)} is given ${value.length} times: keep one of them.`);
    else flags[name] = String(value);
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return flags;
}

/** One sentence for each secret among the arguments, without its value: `ps` shows arguments to every user. */
function secretFlagProblems(table: VariableTable, args: readonly string[]): string[] {
  const given = new Set(args.map((arg) => /^--?([^=]+)/.exec(arg)?.[1]?.toLowerCase().replaceAll("_", "-")));
  return secretsOf(table)
    .filter((name) => given.has(flagOf(name)))
    .map((name) => `${name} is a secret and cannot be a flag: set the environment variable ${name} or ${name}_FILE.`);
}

/**
 * Parses `args` and runs the command they name. Returns the exit code; never throws and never exits the process.
 * Bad usage has the exit code of bad settings.
 */
export async function runCommandLine(program: Program, args: readonly string[], streams: Streams): Promise<ExitCode> {
  const fail = (text: string, code: ExitCode) => {
    streams.err(`${program.name}: ${text}\n`);
    return code;
  };
  const secrets = secretFlagProblems(program.variables, args);
  if (secrets.length > 0) return fail(new SettingsError(secrets).message, EXIT.badSettings);
  let code: ExitCode = EXIT.done;
  try {
    const defaultCommand = program.commands.find((command) => command.isDefault);
    // Containers start without arguments: yargs would cost them 10 MB and a tenth of a second for nothing.
    if (args.length === 0 && defaultCommand !== undefined) return await defaultCommand.run({ flags: {}, options: {} });
    const shown = await parse(program, args, (done) => {
      code = done;
    });
    if (shown !== "") streams.out(`${shown}\n`);
    return code;
  } catch (error) {
    if (error instanceof SettingsError) return fail(error.message, EXIT.badSettings);
    if (error instanceof UsageError) return fail(`${error.message}\nSee ${program.name} --help.`, EXIT.badSettings);
    return fail(messageOf(error), EXIT.failed);
  }
}

class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Runs the command that `args` name. Returns the text of `--help` or `--version`, otherwise an empty text. */
async function parse(program: Program, args: readonly string[], done: (code: ExitCode) => void): Promise<string> {
  const { default: yargs } = await import("yargs");
  const { variables: table } = program;
  const secrets = secretsOf(table);
  const cli = yargs([])
    .scriptName(program.name)
    .locale("en")
    .version(program.version)
    .help()
    .alias("help", "h")
    .exitProcess(false)
    .strict()
    .parserConfiguration({
      "parse-numbers": false,
      "parse-positional-numbers": false,
      "boolean-negation": false,
      "camel-case-expansion": false,
    })
    .options({ ...optionsFor(table), json: { type: "boolean", describe: "print the result as JSON" } })
    .epilogue(
      `Each setting is an environment variable; a flag overrides it (--debug overrides DEBUG).${
        secrets.length > 0
          ? ` Secrets are read only from the environment, as NAME, or from the file that NAME_FILE names: ${secrets.join(", ")}.`
          : ""
      }`,
    )
    // Without a message the error comes from a command and keeps its type.
    .fail((message: string | null, error: unknown) => {
      throw message === null || message === "" ? error : new UsageError(message);
    });
  for (const command of program.commands) {
    if (!command.isDefault) withExample(cli, command); // yargs calls the builder of the default command itself
    cli.command({
      command: command.isDefault ? [command.usage, "$0"] : command.usage,
      describe: command.meaning,
      builder: (own: Argv) => withExample(command.build?.(own) ?? own, command),
      handler: async (argv: Record<string, unknown>) =>
        done(await command.run({ flags: flagsFrom(table, argv), options: argv })),
    });
  }
  let text = "";
  await cli.parseAsync(expandSwitches(table, args), {}, (_error, _argv, output) => {
    text = output;
  });
  return text;
}

function withExample(cli: Argv, { example }: Command): Argv {
  return example === undefined ? cli : cli.example(`$0 ${example[0]}`, example[1]);
}
