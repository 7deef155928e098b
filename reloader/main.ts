// The program `vast-reloader`: the table of its commands. Touches the environment, the standard streams and the exit code.
import { type CommandCall, type ExitCode, runCommandLine, type Streams } from "../common/command-line.ts";
import { VERSION } from "../common/version.ts";
import { renderCommand } from "./commands/render.ts";
import { runCommand } from "./commands/run.ts";
import { templateCommand } from "./commands/template.ts";
import { RELOADER_VARIABLES } from "./variables.ts";

const streams: Streams = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
};

// An unfinished pass may still wait for a response, so the process is ended. Only an open DNS lookup delays that, because
// Node waits for its thread.
const runAndExit = async (call: CommandCall): Promise<ExitCode> => process.exit(await runCommand(call, process.env));

process.exitCode = await runCommandLine(
  {
    name: "vast-reloader",
    variables: RELOADER_VARIABLES,
    version: VERSION,
    commands: [
      {
        usage: "run",
        meaning: "keep nginx pointed at the server of the upstream file (default)",
        example: ["--nginx-listen-port 8000", "serve on port 8000"],
        isDefault: true,
        run: runAndExit,
      },
      {
        usage: "render",
        meaning: "print the nginx config for an upstream file, without changing anything",
        example: ["render --upstream upstream.json", "print the config for this file"],
        build: (cli) =>
          cli.option("upstream", { type: "string", requiresArg: true, describe: "the file [UPSTREAM_PATH]" }),
        run: (call) => renderCommand(call, process.env, streams),
      },
      {
        usage: "template",
        meaning: "print the built-in template of the nginx config",
        example: ["template > nginx.mustache", "write it to a file, to start your own from it"],
        run: () => templateCommand(streams),
      },
    ],
  },
  process.argv.slice(2),
  streams,
);
