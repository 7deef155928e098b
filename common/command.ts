// What a command of a program is, as data. Touches nothing.
import type { Options, PositionalOptions } from "yargs";
import type { Terminal } from "./terminal.ts";
import type { VariableTable } from "./variables.ts";

/** The result of a command, which becomes the exit code of the process. `differs`: only for a command with --exit-code. */
export const EXIT = { done: 0, failed: 1, badSettings: 2, differs: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The forms of a result. `text`: for people, where it is no table; `name`: one name on each line, for scripts. */
export type OutputFormat = "text" | "table" | "wide" | "json" | "name";

/** Settings given as flags; they override the environment. Goes into `SettingsSource.flags`. */
export type Flags = Partial<Record<string, string>>;

/** What a command touches of its process. */
export interface CommandContext {
  terminal: Terminal;
  env: Readonly<Record<string, string | undefined>>;
}

/** One parsed command line. */
export interface CommandCall extends CommandContext {
  flags: Flags;
  /** The command's own options and positionals. */
  options: Readonly<Record<string, unknown>>;
  output: OutputFormat;
}

export interface Example {
  /** What follows the program's name. */
  args: string;
  meaning: string;
}

/** `S` are the names of the program's settings. */
export interface Command<S extends string = string> {
  /** In yargs' syntax: `run`, `bans <action> [host]`. */
  usage: string;
  meaning: string;
  /** Two or three, shown by `--help`. */
  examples: readonly Example[];
  /** Runs when the command line names no command. One command of a program has it. */
  isDefault?: true;
  /** The settings that it reads: no other one is accepted as a flag. */
  settings: "all" | readonly S[];
  /** The formats that `-o` offers, the usual one first. Without: the command has no result to format. */
  outputs?: readonly [OutputFormat, ...OutputFormat[]];
  /** Its own options, shown before the settings. */
  options?: Readonly<Record<string, Options>>;
  positionals?: Readonly<Record<string, PositionalOptions>>;
  /** The positional that takes every word that is not one of the command's flags, even one that begins with a dash. */
  takesText?: string;
  /** A `SettingsError` prints every problem and becomes exit code 2; any other error becomes 1. */
  run(call: CommandCall): Promise<ExitCode>;
}

export interface Program {
  name: string;
  variables: VariableTable;
  version: string;
  commands: readonly Command[];
}

/** The call of `run` for arguments that only start the program, as those of containers do. Null: they have to be parsed. */
export function plainStart(args: readonly string[], context: CommandContext): CommandCall | null {
  const isPlain = args.length === 0 || (args.length === 1 && args[0] === "run");
  return isPlain ? { flags: {}, options: {}, output: "text", ...context } : null;
}

/** Arguments that no command can be called with. Becomes the exit code of bad settings. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
