// From arguments to the exit code of a command. Touches only the terminal, environment and arguments that it gets; it never exits
// the process.
import { type CommandContext, EXIT, type ExitCode, type Program, UsageError } from "./command.ts";
import { messageOf } from "./errors.ts";
import { SettingsError } from "./settings.ts";

/** Parses `args` and runs the command they name. Returns the exit code; never throws and never exits the process. */
export async function runCommandLine(
  program: Program,
  args: readonly string[],
  context: CommandContext,
): Promise<ExitCode> {
  const fail = (text: string, code: ExitCode) => {
    context.terminal.err(`${program.name}: ${text}\n`);
    return code;
  };
  const { start } = program;
  try {
    // yargs would cost 10 MB and a tenth of a second for nothing.
    if (args.length === 0 || (args.length === 1 && args[0] === start.name))
      return await start.run({ flags: {}, options: {}, output: "text", ...context });
    const { callCommand } = await import("./command-parser.ts");
    return await callCommand(program, args, context);
  } catch (error) {
    if (error instanceof SettingsError) return fail(error.message, EXIT.badSettings);
    if (error instanceof UsageError) return fail(`${error.message}\nSee ${program.name} --help.`, EXIT.badSettings);
    return fail(messageOf(error), EXIT.failed);
  }
}
