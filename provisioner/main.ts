// The program `vast-provisioner`. Touches the arguments, the environment, the standard streams and the exit code.
import "../common/without-web-globals.ts";
import { plainStart } from "../common/command.ts";
import { createTerminal } from "../common/terminal.ts";

const args = process.argv.slice(2);
const context = { terminal: createTerminal(process), env: process.env };
const start = plainStart(args, context);
// Each way is a bundle of its own: a container pays for `run` only, and a command not for `run`.
process.exitCode =
  start === null
    ? await (await import("./commands/command-line.ts")).provisionerCommandLine(args, context)
    : await (await import("./commands/start.ts")).startCommand(start);
