// The program `vast-provisioner`. Touches the arguments, the environment, the standard streams and the exit code.
import "../common/without-web-globals.ts";
import { runCommandLine } from "../common/command-line.ts";
import { createTerminal } from "../common/terminal.ts";
import { VERSION } from "../common/version.ts";
import { startCommand } from "./commands/start.ts";
import { PROVISIONER_VARIABLES } from "./variables.ts";

process.exitCode = await runCommandLine(
  {
    name: "vast-provisioner",
    variables: PROVISIONER_VARIABLES,
    version: VERSION,
    start: { name: "run", run: startCommand },
    commands: async () => (await import("./commands/table.ts")).PROVISIONER_COMMANDS,
  },
  process.argv.slice(2),
  { terminal: createTerminal(process), env: process.env },
);
