// Which command a command line names, and which of its words are flags and which are text. Pure.
import { type Command, UsageError } from "./command.ts";
import { expandSwitches, type FlagTable, flagOf, flagsOf, takesValue } from "./command-options.ts";
import { closestWord } from "./suggest.ts";
import type { VariableTable } from "./variables.ts";

/** A command line in its parts. */
export interface CommandWords {
  /** Null: none is named. */
  command: Command | null;
  /** Flags and positionals, without the command's name. */
  args: string[];
  /** The words of the command's text; null: the command takes none. */
  text: string[] | null;
}

export const commandName = ({ usage }: Pick<Command, "usage">) => usage.split(" ")[0] ?? "";

/** The words before a command that takes text: those behind it may be anything. */
export function beforeText(commands: readonly Command[], args: readonly string[]): readonly string[] {
  const at = args.findIndex((word) => commands.some((one) => one.takesText !== undefined && commandName(one) === word));
  return at < 0 ? args : args.slice(0, at);
}

/** Throws a `UsageError` when the command is unknown. */
export function findCommand(commands: readonly Command[], table: VariableTable, args: readonly string[]): CommandWords {
  const anyFlag: FlagTable = Object.assign({}, ...commands.map((command) => flagsOf(command, table)));
  const words = expandSwitches(table, args);
  let at = 0;
  while (at < words.length && words[at] !== "--" && words[at]?.startsWith("-")) at += wordsOfFlag(words, at, anyFlag);
  const before = words.slice(0, at);
  const word = words[at];
  if (word === undefined || word === "--") return { command: null, args: words, text: null };
  const command = commands.find((one) => commandName(one) === word);
  if (command === undefined) {
    for (const flag of before) checkFlag(flag, anyFlag); // the word may be the value of a flag that does not exist
    const meant = closestWord(word, commands.map(commandName));
    throw new UsageError(`Unknown command: ${word}.${meant === null ? "" : ` Did you mean ${meant}?`}`);
  }
  if (command.takesText === undefined) return { command, args: [...before, ...words.slice(at + 1)], text: null };
  const { flags, text } = takeText(args.slice(at + 1), flagsOf(command, table));
  return { command, args: [...before, ...expandSwitches(table, flags)], text };
}

/** The flags with their names and values, and the other words; after `--` there are no flags. */
export function splitWords(args: readonly string[], known: FlagTable) {
  const flags: [name: string, value: string | undefined][] = [];
  const positionals: string[] = [];
  for (let at = 0; at < args.length; ) {
    const word = args[at] ?? "";
    if (word === "--") return { flags, positionals: [...positionals, ...args.slice(at + 1)] };
    const option = flagIn(word, known);
    const taken = option === null ? 1 : wordsOfFlag(args, at, known);
    if (option === null) positionals.push(word);
    else flags.push([nameOf(option, known), taken === 2 ? args[at + 1] : /=(.*)$/s.exec(word)?.[1]]);
    at += taken;
  }
  return { flags, positionals };
}

const nameOf = (option: FlagTable[string], known: FlagTable) =>
  Object.keys(known).find((name) => known[name] === option) ?? "";

/** How many words the flag at this place takes. */
function wordsOfFlag(args: readonly string[], at: number, known: FlagTable): 1 | 2 {
  const word = args[at] ?? "";
  const option = flagIn(word, known);
  return option !== null && takesValue(option) && !word.includes("=") && at + 1 < args.length ? 2 : 1;
}

function flagIn(word: string, known: FlagTable) {
  const [, dashes, name = ""] = /^(--?)([^=]+)/.exec(word) ?? [];
  if (dashes === "--") return Object.hasOwn(known, name) ? (known[name] ?? null) : null;
  return (dashes === "-" && Object.values(known).find(({ alias }) => alias === name)) || null;
}

/** Words of a text may begin with a dash; after `--` all of them are text. */
function takeText(words: readonly string[], known: FlagTable): { flags: string[]; text: string[] } {
  const flags: string[] = [];
  const text: string[] = [];
  for (let at = 0; at < words.length; ) {
    const word = words[at] ?? "";
    if (word === "--") return { flags, text: [...text, ...words.slice(at + 1)] };
    const taken = flagIn(word, known) === null ? 0 : wordsOfFlag(words, at, known);
    if (taken === 0) text.push(word);
    flags.push(...words.slice(at, at + taken));
    at += Math.max(1, taken);
  }
  return { flags, text };
}

/** Throws a `UsageError` for the first option that the command does not have, with the one that was probably meant. */
export function checkFlags(command: Command, table: VariableTable, args: readonly string[]): void {
  const known = flagsOf(command, table);
  const unread = Object.keys(table)
    .map(flagOf)
    .filter((flag) => !Object.hasOwn(known, flag));
  const end = args.indexOf("--");
  for (const arg of end < 0 ? args : args.slice(0, end)) {
    const setting = unread.find((flag) => nameIn(arg) === flag);
    if (setting !== undefined)
      throw new UsageError(`--${setting} is a setting that ${commandName(command)} does not read: leave it out.`);
    checkFlag(arg, known);
  }
}

function checkFlag(word: string, known: FlagTable): void {
  const name = nameIn(word);
  if (name === undefined || Object.hasOwn(known, name)) return;
  const meant = closestWord(flagOf(name), Object.keys(known));
  throw new UsageError(`Unknown option: --${name}.${meant === null ? "" : ` Did you mean --${meant}?`}`);
}

const nameIn = (word: string) => /^--([^=]+)/.exec(word)?.[1];
