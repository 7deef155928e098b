// The program `vast-reloader`. Touches the arguments, the environment, the standard streams and the exit code.
import { runCommandLine } from "../common/command-line.ts";
import { createTerminal } from "../common/terminal.ts";
import { VERSION } from "../common/version.ts";
import { runCommand } from "./commands/run.ts";
import { RELOADER_VARIABLES } from "./variables.ts";

process.exitCode = await runCommandLine(
  {
    name: "vast-reloader",
    variables: RELOADER_VARIABLES,
    version: VERSION,
    start: { name: "run", run: runCommand },
    commands: async () => (await import("./commands/table.ts")).RELOADER_COMMANDS,
  },
  process.argv.slice(2),
  { terminal: createTerminal(process), env: process.env },
);
