// `vast-provisioner reap`: wires options, settings, account and cluster for the command.

import { systemClock } from "../../common/clock.ts";
import { type CommandCall, EXIT, type ExitCode } from "../../common/command.ts";
import { logDestination } from "../../common/log-destination.ts";
import { createLogger } from "../../common/logging.ts";
import { readSettings, SettingsError, type SettingsSource } from "../../common/settings.ts";
import { readSmallFileSync } from "../../common/small-file.ts";
import { openCluster } from "../kubernetes/cluster.ts";
import { ALWAYS_READ_BY_REAP } from "../settings.ts";
import { reap } from "../teardown/orphans.ts";
import { PROVISIONER_VARIABLES } from "../variables.ts";
import { connectAccount } from "./connect.ts";
import { printFor, printOutcome } from "./print-outcome.ts";
import { removeReportsIn } from "./remove-reports.ts";

// More orphans than a few are most likely a mistake in the options.
const AT_MOST = 5;
// A pod exists before its instance: this is longer than the cluster may take to list it.
const YOUNGER_THAN_MINUTES = 30;
const PREFIX = /^[\x21-\x7e]{1,120}[-]$/;
const MS_PER_MINUTE = 60_000;

export async function reapCommand(call: CommandCall, source: SettingsSource): Promise<ExitCode> {
  const { values } = readSettings(PROVISIONER_VARIABLES, source, ALWAYS_READ_BY_REAP);
  const { prefix, atMost, youngerThanMinutes } = readOptions(call.options);
  const clock = systemClock;
  const { client } = connectAccount({
    baseUrl: values.VAST_URL,
    apiKey: () => values.VAST_API_KEY,
    clock,
    random: Math.random,
  });
  const log = createLogger({
    app: "vast-provisioner",
    debug: values.DEBUG,
    quiet: true,
    secrets: () => [values.VAST_API_KEY],
    destination: await logDestination(values.LOG_FORMAT, 2),
  });
  const print = printFor(call);
  const outcome = await reap({
    client,
    cluster: openCluster({ env: source.env, readFile: readSmallFileSync, clock }),
    clock,
    log,
    prefix,
    label: values.VAST_LABEL,
    setDeleted: call.options["set-deleted"] === true,
    youngerThanMs: youngerThanMinutes * MS_PER_MINUTE,
    atMost,
    dryRun: call.options.yes !== true,
    print,
    forgetPods: (labels) => removeReportsIn(source, { client, labels, print, log, clock }),
  });
  printOutcome(call, outcome, outcome.orphans);
  return outcome.done ? EXIT.done : EXIT.failed;
}

/** Throws a `SettingsError` with all problems. */
export function readOptions(options: Readonly<Record<string, unknown>>) {
  const problems: string[] = [];
  const { prefix } = options;
  const isPrefix = typeof prefix === "string" && PREFIX.test(prefix);
  if (!isPrefix)
    problems.push(
      "--prefix must be the beginning of the instances' labels, up to the pod's number: k8s_pod=vast-pod- for the StatefulSet vast-pod. Labels of other clusters must not begin with it.",
    );
  const wholeNumber = (name: string, fallback: number, least: number) => {
    const text = options[name];
    if (text === undefined) return fallback;
    const value = typeof text === "string" && /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least)) problems.push(`--${name} must be a whole number, ${least} or more.`);
    return value;
  };
  const atMost = wholeNumber("at-most", AT_MOST, 1);
  const youngerThanMinutes = wholeNumber("younger-than-minutes", YOUNGER_THAN_MINUTES, 0);
  if (!isPrefix || problems.length > 0) throw new SettingsError(problems);
  return { prefix, atMost, youngerThanMinutes };
}
