// From what a command does to the exit code of its process. Touches only the terminal that it gets; it never exits the process.
import { type CommandContext, EXIT, type ExitCode, UsageError } from "./command.ts";
import { messageOf } from "./errors.ts";
import { SettingsError } from "./settings.ts";

/** Runs the command of this program. What it throws is printed and becomes an exit code: it never rejects. */
export async function exitCodeOf(
  program: string,
  { terminal }: Pick<CommandContext, "terminal">,
  command: () => Promise<ExitCode>,
): Promise<ExitCode> {
  const fail = (text: string, code: ExitCode) => {
    terminal.err(`${program}: ${text}\n`);
    return code;
  };
  try {
    return await command();
  } catch (error) {
    if (error instanceof SettingsError) return fail(error.message, EXIT.badSettings);
    if (error instanceof UsageError) return fail(`${error.message}\nSee ${program} --help.`, EXIT.badSettings);
    return fail(messageOf(error), EXIT.failed);
  }
}
