// Parses a command line with yargs, and calls its command. Touches only what it gets.
import yargs, { type Argv } from "yargs";
import {
  type Command,
  type CommandContext,
  EXIT,
  type ExitCode,
  type Flags,
  type OutputFormat,
  type Program,
  UsageError,
} from "./command.ts";
import { checkChoices } from "./command-choices.ts";
import { flagOf, ownFlags, secretsOf, settingFlags, settingsOf } from "./command-options.ts";
import { beforeText, checkFlags, commandName, findCommand } from "./command-words.ts";
import { completionCommand } from "./completion.ts";
import { SettingsError } from "./settings.ts";
import type { VariableTable } from "./variables.ts";

// For a file or a pipe, where help is read later.
const USUAL_WIDTH = 100;
const WIDEST = 120;

/** Throws a `UsageError`, a `SettingsError` or the command's own error. */
export async function callCommand(
  program: Program,
  given: readonly string[],
  context: CommandContext,
): Promise<ExitCode> {
  const { variables: table } = program;
  const commands = allCommands(program);
  const secrets = secretFlagProblems(table, beforeText(commands, given));
  if (secrets.length > 0) throw new SettingsError(secrets);
  const { command: named, args, text } = findCommand(commands, table, given);
  if (named === null && args.some((arg) => arg === "--help" || arg === "-h")) {
    context.terminal.out(`${await overview(program, commands, context)}\n`);
    return EXIT.done;
  }
  const command = named ?? commands.find(({ isDefault }) => isDefault);
  if (command === undefined) throw new UsageError("Name a command.");
  checkFlags(command, table, args);
  if (text === null) checkChoices(command, table, args);
  const { shown, argv } = await parse(program, command, [commandName(command), ...args], context);
  if (argv === null) {
    context.terminal.out(`${shown}\n`);
    return EXIT.done;
  }
  const options = text === null ? argv : { ...argv, [`${command.takesText}`]: text };
  return command.run({ flags: flagsFrom(table, argv), options, output: outputOf(command, argv), ...context });
}

/** The program's commands, and the one that every program has. */
export function allCommands(program: Program): readonly Command[] {
  return [...program.commands, completionCommand(program)];
}

interface Parsed {
  /** The text of `--help` or `--version`. */
  shown: string;
  /** Null: there is only a text to show. */
  argv: Readonly<Record<string, unknown>> | null;
}

async function parse(
  program: Program,
  command: Command,
  args: readonly string[],
  context: CommandContext,
): Promise<Parsed> {
  const read = settingsOf(command, program.variables);
  const own = ownFlags(command);
  const cli = base(program, context).command({
    command: command.usage,
    describe: command.meaning,
    builder(one: Argv) {
      one.options(own).options(settingFlags(read)).epilogue(epilogue(read));
      for (const [name, positional] of Object.entries(command.positionals ?? {})) one.positional(name, positional);
      for (const { args: words, meaning } of command.examples) one.example(`$0 ${words}`.trimEnd(), meaning);
      if (own.json !== undefined) one.conflicts("json", "output");
      return one;
    },
    handler: (argv: Record<string, unknown>) => {
      parsed.argv = argv;
    },
  });
  const parsed: Parsed = { shown: "", argv: null };
  await cli.parseAsync([...args], {}, (_error, _argv, output) => {
    parsed.shown = output;
  });
  for (const name of Object.keys(own)) {
    if (Array.isArray(parsed.argv?.[name]))
      throw new UsageError(`--${name} is given ${parsed.argv[name].length} times: keep one of them.`);
  }
  return parsed;
}

function base(program: Program, { terminal }: CommandContext): Argv {
  return (
    yargs([])
      .scriptName(program.name)
      .locale("en")
      .version(program.version)
      .help()
      .alias("help", "h")
      .exitProcess(false)
      .strict()
      .wrap(Math.min(terminal.width() ?? USUAL_WIDTH, WIDEST))
      .parserConfiguration({
        "parse-numbers": false,
        "parse-positional-numbers": false,
        "boolean-negation": false,
        "camel-case-expansion": false,
      })
      // Without a message the error comes from a command and keeps its type.
      .fail((message: string | null, error: unknown) => {
        throw message === null || message === "" ? error : new UsageError(message);
      })
  );
}

/** The text of `--help` without a command. */
async function overview(program: Program, commands: readonly Command[], context: CommandContext): Promise<string> {
  const cli = base(program, context).usage(`${program.name} <command> [options]`);
  for (const { usage, meaning, isDefault } of commands)
    cli.command({ command: isDefault ? [usage, "$0"] : usage, describe: meaning, handler: () => undefined });
  for (const { examples } of commands) {
    const [first] = examples;
    if (first !== undefined) cli.example(`$0 ${first.args}`.trimEnd(), first.meaning);
  }
  cli.epilogue(
    `${program.name} <command> --help shows the options of a command, the settings that it reads, and examples. ` +
      "Exit codes: 0 done, 1 failed, 2 bad settings or arguments, 3 (only with --exit-code) something would change.",
  );
  let text = "";
  await cli.parseAsync(["--help"], {}, (_error, _argv, output) => {
    text = output;
  });
  return text;
}

function epilogue(settings: VariableTable): string {
  if (Object.keys(settings).length === 0) return "It reads no settings.";
  const secrets = secretsOf(settings);
  const where =
    secrets.length === 0
      ? ""
      : ` Secrets are read only from the environment, as NAME, or from the file that NAME_FILE names: ${secrets.join(", ")}.`;
  return `Each setting is an environment variable; a flag overrides it (--debug overrides DEBUG).${where}`;
}

function outputOf({ outputs }: Command, argv: Readonly<Record<string, unknown>>): OutputFormat {
  if (argv.json === true) return "json";
  return outputs?.find((one) => one === argv.output) ?? outputs?.[0] ?? "text";
}

// Before the @, as in redis://user:password@host, or as a parameter.
const PASSWORD_IN_URL = /^[a-z][a-z+]*:\/\/(?:[^/?#@]*:[^/?#]+@|[^#]*[?&]\w*password=.)/i;

/** The settings among the arguments that yargs parsed. Throws a `SettingsError` when one is given twice, or shows a password to `ps`. */
function flagsFrom(table: VariableTable, argv: Readonly<Record<string, unknown>>): Flags {
  const flags: Flags = {};
  const problems: string[] = [];
  for (const name of Object.keys(table)) {
    const value = argv[flagOf(name)];
    if (value === undefined) continue;
    if (Array.isArray(value)) problems.push(`--${flagOf(name)} is given ${value.length} times: keep one of them.`);
    else if (PASSWORD_IN_URL.test(String(value)))
      problems.push(
        `--${flagOf(name)} has a password, which cannot be in a flag: set the environment variable ${name}.`,
      );
    else flags[name] = String(value);
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return flags;
}

/** One sentence for each secret among the arguments, without its value: `ps` shows arguments to every user. */
function secretFlagProblems(table: VariableTable, args: readonly string[]): string[] {
  const given = new Set(args.map((arg) => flagOf(/^--?([^=]+)/.exec(arg)?.[1] ?? "")));
  return secretsOf(table)
    .filter((name) => given.has(flagOf(name)))
    .map((name) => `${name} is a secret and cannot be a flag: set the environment variable ${name} or ${name}_FILE.`);
}
