// From arguments to the exit code of a command. Touches only the terminal, environment and arguments that it gets; it never exits
// the process.
import type { CommandContext, ExitCode, Program } from "./command.ts";
import { callCommand } from "./command-parser.ts";
import { exitCodeOf } from "./exit-code.ts";

/** Parses `args` and runs the command they name. Returns the exit code; never throws and never exits the process. */
export async function runCommandLine(
  program: Program,
  args: readonly string[],
  context: CommandContext,
): Promise<ExitCode> {
  return exitCodeOf(program.name, context, () => callCommand(program, args, context));
}
