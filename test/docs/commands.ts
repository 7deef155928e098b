// The commands of both programs as the documents show them: out of their tables, and what --help prints. Touches nothing.
import type { Command, Program } from "../../common/command.ts";
import { runCommandLine } from "../../common/command-line.ts";
import { ownFlags } from "../../common/command-options.ts";
import { allCommands } from "../../common/command-parser.ts";
import { commandName } from "../../common/command-words.ts";
import { VERSION } from "../../common/version.ts";
import { PROVISIONER_COMMANDS } from "../../provisioner/commands/table.ts";
import { PROVISIONER_VARIABLES } from "../../provisioner/variables.ts";
import { RELOADER_COMMANDS } from "../../reloader/commands/table.ts";
import { RELOADER_VARIABLES } from "../../reloader/variables.ts";

const program = (name: string, variables: Program["variables"], commands: readonly Command[]): Program => ({
  name,
  variables,
  version: VERSION,
  commands,
});

/** Both programs with their commands, none of which is run. */
export const PROGRAMS: readonly Program[] = [
  program("vast-provisioner", PROVISIONER_VARIABLES, PROVISIONER_COMMANDS),
  program("vast-reloader", RELOADER_VARIABLES, RELOADER_COMMANDS),
];

export interface CommandRow {
  program: string;
  name: string;
  /** As it is typed, with its arguments: `query [text..]`. */
  usage: string;
  meaning: string;
  isDefault: boolean;
  /** The flags that are no settings. */
  flags: readonly string[];
}

export function commandRows(): CommandRow[] {
  return PROGRAMS.flatMap((one) =>
    allCommands(one).map((command) => ({
      program: one.name,
      name: commandName(command),
      usage: command.usage,
      meaning: command.meaning,
      isDefault: command.isDefault === true,
      flags: Object.keys(ownFlags(command)).map((flag) => `--${flag}`),
    })),
  );
}

/** What `--help` of a command prints; of the program without a command. */
export async function helpText(one: Program, command?: string): Promise<string> {
  let text = "";
  const terminal = {
    out: (part: string) => {
      text += part;
    },
    err: (part: string) => {
      throw new Error(part);
    },
    width: () => null,
    paint: (_style: string, part: string) => part,
  };
  await runCommandLine(one, [...(command === undefined ? [] : [command]), "--help"], { terminal, env: {} });
  return text.trimEnd();
}
