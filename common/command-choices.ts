// Says which word was meant where a command takes only certain words: `bans lst`, `status -o jsn`. Pure.
import { type Command, UsageError } from "./command.ts";
import { flagsOf } from "./command-options.ts";
import { commandName, splitWords } from "./command-words.ts";
import { closestWord } from "./suggest.ts";
import type { VariableTable } from "./variables.ts";

/** `args`: flags and positionals without the command's name. Throws a `UsageError` for the first word that is none of the choices. */
export function checkChoices(command: Command, table: VariableTable, args: readonly string[]): void {
  const known = flagsOf(command, table);
  const { flags, positionals } = splitWords(args, known);
  for (const [name, value] of flags) {
    const choices = choicesOf(known[name]);
    if (choices !== null && value !== undefined) checkChoice(`--${name}`, value, choices);
  }
  if (flags.some(([name]) => name === "help" || name === "version")) return;
  const required = [...command.usage.matchAll(/<(\w+)>/g)].map((match) => match[1] ?? "");
  for (const [at, name] of required.entries()) {
    const choices = choicesOf(command.positionals?.[name]);
    if (choices === null) continue;
    const given = positionals[at];
    if (given === undefined) throw new UsageError(`${commandName(command)} needs the ${name}: ${listText(choices)}.`);
    checkChoice(`The ${name} of ${commandName(command)}`, given, choices);
  }
}

function checkChoice(what: string, given: string, choices: readonly string[]): void {
  if (choices.includes(given)) return;
  const meant = closestWord(given, choices);
  const suggestion = meant === null ? "" : ` Did you mean ${meant}?`;
  throw new UsageError(`${what} must be ${listText(choices)}, not ${JSON.stringify(given)}.${suggestion}`);
}

function choicesOf(option: { choices?: unknown } | undefined): string[] | null {
  return Array.isArray(option?.choices) ? option.choices.map(String) : null;
}

const listText = (words: readonly string[]) =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
