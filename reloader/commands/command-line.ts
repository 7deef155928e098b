// The command line of `vast-reloader`. Touches only what it gets, until it runs a command.
import type { CommandContext, ExitCode } from "../../common/command.ts";
import { runCommandLine } from "../../common/command-line.ts";
import { VERSION } from "../../common/version.ts";
import { RELOADER_VARIABLES } from "../variables.ts";
import { RELOADER_COMMANDS } from "./table.ts";

/** Runs the command that the arguments name. Returns the exit code. */
export async function reloaderCommandLine(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  const program = {
    name: "vast-reloader",
    variables: RELOADER_VARIABLES,
    version: VERSION,
    commands: RELOADER_COMMANDS,
  };
  return runCommandLine(program, args, context);
}
