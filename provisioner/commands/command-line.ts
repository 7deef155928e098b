// The command line of `vast-provisioner`. Touches only what it gets, until it runs a command.
import type { CommandContext, ExitCode } from "../../common/command.ts";
import { runCommandLine } from "../../common/command-line.ts";
import { VERSION } from "../../common/version.ts";
import { PROVISIONER_VARIABLES } from "../variables.ts";
import { PROVISIONER_COMMANDS } from "./table.ts";

/** Runs the command that the arguments name. Returns the exit code. */
export async function provisionerCommandLine(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  const program = {
    name: "vast-provisioner",
    variables: PROVISIONER_VARIABLES,
    version: VERSION,
    commands: PROVISIONER_COMMANDS,
  };
  return runCommandLine(program, args, context);
}
