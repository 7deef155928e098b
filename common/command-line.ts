// The command line of both programs: flags out of the settings table, commands, exit codes. Touches only the streams
// and the arguments it is handed; ends no process.
import type { Argv, Options } from "yargs";
import { SettingsError } from "./settings.ts";
import { type Container, namesFor, VARIABLES, type VariableName, variable } from "./variables.ts";

/** What a command answers with, and what the process ends with. */
export const EXIT = { done: 0, failed: 1, badSettings: 2 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Settings given as flags; they override the environment. Goes into `SettingsSource.flags`. */
export type Flags = Partial<Record<VariableName, string>>;

/** One parsed call: the settings among the flags, and everything else (a command's own options and positionals). */
export interface CommandCall {
  flags: Flags;
  options: Readonly<Record<string, unknown>>;
}

export interface Command {
  /** As yargs writes it: `run`, `bans <action> [host]`. */
  usage: string;
  meaning: string;
  /** Runs when no command is named. One command of a program has it. */
  isDefault?: boolean;
  /** Adds the command's own options and positionals. */
  build?(cli: Argv): Argv;
  /** Does it. A `SettingsError` ends in exit code 2 with every problem printed, any other error in 1. */
  run(call: CommandCall): Promise<ExitCode>;
}

export interface Program {
  name: string;
  container: Container;
  version: string;
  commands: readonly Command[];
}

/** Where text for people goes: answers on `out`, problems on `err`. */
export interface Streams {
  out(text: string): void;
  err(text: string): void;
}

const flagOf = (name: VariableName) => name.toLowerCase().replaceAll("_", "-");
const allNames = Object.keys(VARIABLES) as VariableName[];

// A switch like DEBUG may stand alone (`--debug`); the table knows it by its default.
const isSwitch = (name: VariableName) => ["true", "false"].includes(shownDefault(name));
const SWITCH_WORDS = ["true", "false", "1", "0", "yes", "no", "on", "off"];

function shownDefault(name: VariableName): string {
  const v = variable(name);
  return "default" in v ? (v.default ?? "") : "";
}

/** The yargs options of a container's settings: every variable that is no secret, in kebab-case. */
export function optionsFor(container: Container): Record<string, Options> {
  const options: Record<string, Options> = {};
  for (const name of namesFor(container)) {
    const v = variable(name);
    if (v.secret) continue;
    const shown = shownDefault(name) === "" ? "" : ` [${shownDefault(name)}]`;
    options[flagOf(name)] = {
      describe: `${v.meaning}${shown}`,
      type: "string",
      requiresArg: true,
    };
  }
  return options;
}

/** `--debug` alone as `--debug=true`. Not left to yargs: its booleans read `--debug=yes` as false without a word. */
function spellOutSwitches(args: readonly string[]): string[] {
  const flags = new Set(allNames.filter(isSwitch).map((name) => `--${flagOf(name)}`));
  return args.map((arg, i) =>
    flags.has(arg) && !SWITCH_WORDS.includes(args[i + 1]?.toLowerCase() ?? "") ? `${arg}=true` : arg,
  );
}

/** The settings among yargs' parsed arguments. Throws a `SettingsError` when one was given twice. */
function flagsFrom(argv: Readonly<Record<string, unknown>>): Flags {
  const flags: Flags = {};
  const problems: string[] = [];
  for (const name of allNames) {
    const value = argv[flagOf(name)];
    if (value === undefined) continue;
    if (Array.isArray(value)) problems.push(`--${flagOf(name)} is given ${value.length} times: keep one of them.`);
    else flags[name] = String(value);
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return flags;
}

/** One sentence for each secret that stands among the arguments, without its value: `ps` shows arguments to everybody. */
function secretFlagProblems(args: readonly string[]): string[] {
  const given = new Set(args.map((arg) => /^--?([^=]+)/.exec(arg)?.[1]?.toLowerCase().replaceAll("_", "-")));
  return allNames
    .filter((name) => variable(name).secret && given.has(flagOf(name)))
    .map((name) => `${name} is a secret and no flag: set the environment variable ${name} or ${name}_FILE.`);
}

/**
 * Parses `args` and runs the command they name. Never throws and never ends the process: the answer is the exit code.
 * Bad usage counts as bad settings.
 */
export async function runCommandLine(program: Program, args: readonly string[], streams: Streams): Promise<ExitCode> {
  const fail = (text: string, code: ExitCode) => {
    streams.err(`${program.name}: ${text}\n`);
    return code;
  };
  const secrets = secretFlagProblems(args);
  if (secrets.length > 0) return fail(new SettingsError(secrets).message, EXIT.badSettings);
  let code: ExitCode = EXIT.done;
  try {
    const [common] = program.commands.filter((command) => command.isDefault);
    // How containers start: without arguments there is nothing to parse, and yargs costs 10 MB and a tenth of a second.
    if (args.length === 0 && common !== undefined) return await common.run({ flags: {}, options: {} });
    const shown = await parse(program, args, (done) => {
      code = done;
    });
    if (shown !== "") streams.out(`${shown}\n`);
    return code;
  } catch (error) {
    if (error instanceof SettingsError) return fail(error.message, EXIT.badSettings);
    if (error instanceof UsageError) return fail(`${error.message}\nSee ${program.name} --help.`, EXIT.badSettings);
    return fail(error instanceof Error ? error.message : String(error), EXIT.failed);
  }
}

class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Runs the command that `args` name; answers the text of `--help` or `--version`, or an empty one. */
async function parse(program: Program, args: readonly string[], done: (code: ExitCode) => void): Promise<string> {
  const { default: yargs } = await import("yargs");
  const secrets = namesFor(program.container).filter((name) => variable(name).secret);
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
    .options({ ...optionsFor(program.container), json: { type: "boolean", describe: "answer in JSON" } })
    .epilogue(
      `Each flag overrides the environment variable of its name (--debug: DEBUG).${
        secrets.length > 0 ? ` From the environment only, as NAME or as NAME_FILE: ${secrets.join(", ")}.` : ""
      }`,
    )
    // Without a message it is a command's own error, which keeps its type.
    .fail((message: string | null, error: unknown) => {
      throw message === null || message === "" ? error : new UsageError(message);
    });
  for (const command of program.commands) {
    cli.command({
      command: command.isDefault ? [command.usage, "$0"] : command.usage,
      describe: command.meaning,
      builder: (own: Argv) => command.build?.(own) ?? own,
      handler: async (argv: Record<string, unknown>) =>
        done(await command.run({ flags: flagsFrom(argv), options: argv })),
    });
  }
  let text = "";
  await cli.parseAsync(spellOutSwitches(args), {}, (_error, _argv, output) => {
    text = output;
  });
  return text;
}
