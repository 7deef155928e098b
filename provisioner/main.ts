// The program `vast-provisioner`: command line, environment, signals, exit code. Wiring happens here and in run.ts only.
import "../common/without-web-globals.ts";
import { createInterface } from "node:readline/promises";
import axios from "axios";
import { systemClock } from "../common/clock.ts";
import { type CommandCall, EXIT, type ExitCode, runCommandLine, type Streams } from "../common/command-line.ts";
import { createLogger } from "../common/logging.ts";
import type { SettingsSource } from "../common/settings.ts";
import { VERSION } from "../common/version.ts";
import { processName, systemDependencies } from "./commands/dependencies.ts";
import { showQuery, takeText } from "./commands/query.ts";
import { reapCommand, reapOptions } from "./commands/reap.ts";
import { run } from "./commands/run.ts";
import { createLease, newToken, noLease } from "./lease/lease.ts";
import { openRedis } from "./redis/open.ts";
import { readDestroySettings, readProvisionerSettings, readSecretFile } from "./settings.ts";
import { createStateFile } from "./state/state-file.ts";
import { destroyAll } from "./teardown/destroy-all.ts";
import { PROVISIONER_VARIABLES } from "./variables.ts";
import { createVastClient } from "./vast/client.ts";
import { createPacing } from "./vast/pacing.ts";
import { createTransport } from "./vast/transport.ts";

const sourceOf = (call: CommandCall): SettingsSource => ({
  env: process.env,
  flags: call.flags,
  readFile: readSecretFile,
});

async function runCommand(call: CommandCall): Promise<ExitCode> {
  const settings = readProvisionerSettings(sourceOf(call));
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stop.abort(new Error(signal)));
  await run(settings, systemDependencies(settings, process.env), stop.signal);
  return EXIT.done;
}

async function destroyCommand(call: CommandCall): Promise<ExitCode> {
  const settings = readDestroySettings(sourceOf(call));
  const clock = systemClock;
  const pacing = createPacing(clock, Math.random);
  const transport = createTransport({ baseUrl: settings.vastUrl, apiKey: () => settings.apiKey, clock, pacing });
  const stateFile = createStateFile(settings.statePath, clock.now);
  const json = call.options.json === true;
  const log = createLogger({
    app: "vast-provisioner",
    debug: settings.debug,
    quiet: true,
    secrets: () => settings.secrets,
    destination: process.stderr,
  });
  const redis = settings.redisUrl === null ? null : await openRedis(settings.redisUrl, log, clock);
  const owner = `vast-provisioner destroy on ${processName(clock)}`;
  const lease =
    redis === null
      ? noLease
      : createLease({ redis, clock, log, label: settings.label, token: newToken(Math.random), owner });
  const outcome = await destroyAll({
    client: createVastClient(transport),
    clock,
    log,
    label: settings.label,
    load: async () => (await unlessUnwritable(stateFile.load(settings.label)))?.state ?? null,
    save: async (state) => void (await unlessUnwritable(stateFile.save(state))),
    lease,
    provisionerRuns: () => provisionerRuns(settings.statusPort, settings.podName),
    confirm: async (question) => call.options.yes === true || (await ask(question)),
    say: (text) => void (json ? process.stderr : process.stdout).write(`${text}\n`),
  }).finally(() => redis?.close());
  if (json) process.stdout.write(`${JSON.stringify(outcome)}\n`);
  return outcome.done ? EXIT.done : EXIT.failed;
}

/** An operator's machine need not have the provisioner's volume: without it the lists alone tell what is gone. */
async function unlessUnwritable<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (
      error instanceof Error &&
      "code" in error &&
      ["EACCES", "EPERM", "EROFS", "ENOENT"].includes(String(error.code))
    )
      return null;
    throw error;
  }
}

async function provisionerRuns(port: number, pod: string): Promise<boolean> {
  try {
    const { data } = await axios.get<{ pod?: unknown }>(`http://127.0.0.1:${port}/status`, {
      timeout: 1000,
      proxy: false,
    });
    return data.pod === pod;
  } catch {
    return false; // nobody listens there
  }
}

async function ask(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new Error("destroy asks first, and there is no terminal to ask on: add --yes");
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
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
        meaning: "keep this pod's instance true to template and image (default)",
        isDefault: true,
        run: runCommand,
      },
      {
        usage: "destroy",
        meaning: "end this pod's instances; asks first",
        build: (cli) => cli.option("yes", { type: "boolean", alias: "y", describe: "do not ask" }),
        run: destroyCommand,
      },
      {
        usage: "query [text..]",
        meaning: "show the filters that a VAST_SEARCH_QUERY means; needs no settings",
        build: (cli) =>
          cli.option("no-default", {
            type: "boolean",
            describe: "leave out the filters that the official command line adds by itself",
          }),
        run: async ({ options }) => {
          const words = text ?? [options.text ?? []].flat().map(String);
          return showQuery(words, { noDefault: options["no-default"] === true, json: options.json === true }, streams);
        },
      },
      {
        usage: "reap",
        meaning: "in a Kubernetes cluster: end instances whose pod no StatefulSet wants",
        build: reapOptions,
        run: (call) => reapCommand(call, sourceOf(call)),
      },
    ],
  },
  args,
  streams,
);
