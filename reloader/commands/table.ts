// The commands of `vast-reloader`, as data: the source of --help, of completion and of the documents. What a command needs is
// loaded when it runs. Touches nothing itself.
import type { Command } from "../../common/command.ts";
import type { RELOADER_VARIABLES } from "../variables.ts";

export const RELOADER_COMMANDS: readonly Command<keyof typeof RELOADER_VARIABLES>[] = [
  {
    usage: "run",
    meaning: "keep nginx pointed at the server of the upstream file",
    examples: [
      { args: "--nginx-listen-port 8000", meaning: "serve on port 8000" },
      { args: "run --debug", meaning: "log every pass" },
    ],
    isDefault: true,
    settings: "all",
    run: async (call) => (await import("./run.ts")).runCommand(call),
  },
  {
    usage: "render",
    meaning: "print the nginx config for an upstream file, without changing anything",
    examples: [
      { args: "render --upstream upstream.json", meaning: "print the config for this file" },
      { args: "render --nginx-template-path $PWD/nginx.mustache", meaning: "try your own template" },
    ],
    settings: "all",
    outputs: ["text", "json"],
    options: { upstream: { type: "string", requiresArg: true, describe: "the file [UPSTREAM_PATH]" } },
    run: async (call) => (await import("./render.ts")).renderCommand(call),
  },
  {
    usage: "template",
    meaning: "print the built-in template of the nginx config",
    examples: [{ args: "template > nginx.mustache", meaning: "write it to a file, to start your own from it" }],
    settings: [],
    async run({ terminal }) {
      terminal.out((await import("../render/default-conf.ts")).DEFAULT_CONF);
      return 0;
    },
  },
];
