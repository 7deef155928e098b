// The program `vast-provisioner`: the table of its commands. Touches the environment, the signals and the exit code.
import "../common/without-web-globals.ts";
import { type CommandCall, runCommandLine, type Streams } from "../common/command-line.ts";
import type { SettingsSource } from "../common/settings.ts";
import { VERSION } from "../common/version.ts";
import { destroyCommand, destroyOptions } from "./commands/destroy.ts";
import { queryOptions, showQuery, takeText } from "./commands/query.ts";
import { reapCommand, reapOptions } from "./commands/reap.ts";
import { startCommand } from "./commands/start.ts";
import { readSecretFile } from "./settings.ts";
import { PROVISIONER_VARIABLES } from "./variables.ts";

const sourceOf = (call: CommandCall): SettingsSource => ({
  env: process.env,
  flags: call.flags,
  readFile: readSecretFile,
});

function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stop.abort(new Error(signal)));
  return stop.signal;
}

const streams: Streams = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
};
const { args, text } = takeText(process.argv.slice(2));
process.exitCode = await runCommandLine(
  {
    name: "vast-provisioner",
    variables: PROVISIONER_VARIABLES,
    version: VERSION,
    commands: [
      {
        usage: "run",
        meaning: "keep one instance for this pod, with the desired template and image",
        example: ["--vast-policy observe", "show what would be done, without changing anything"],
        isDefault: true,
        run: (call) => startCommand(sourceOf(call), process.env, stopSignal()),
      },
      {
        usage: "destroy",
        meaning: "destroy this pod's instances after a confirmation, and verify it",
        example: ["destroy --yes", "destroy this pod's instances without asking"],
        build: destroyOptions,
        run: (call) => destroyCommand(call, sourceOf(call)),
      },
      {
        usage: "query [text..]",
        meaning: "print the filters that a VAST_SEARCH_QUERY means; needs no settings",
        example: ["query 'gpu_ram>=24 num_gpus=1'", "print the filters of this query as JSON"],
        build: queryOptions,
        async run({ options }) {
          const words = text ?? [options.text ?? []].flat().map(String);
          return showQuery(words, { noDefault: options["no-default"] === true, json: options.json === true }, streams);
        },
      },
      {
        usage: "reap",
        meaning: "list instances whose pod no StatefulSet wants any more, and destroy them with --yes (in a cluster)",
        example: ["reap --prefix k8s_pod=vast-pod-", "list the orphans of the StatefulSet vast-pod"],
        build: reapOptions,
        run: (call) => reapCommand(call, sourceOf(call)),
      },
    ],
  },
  args,
  streams,
);
