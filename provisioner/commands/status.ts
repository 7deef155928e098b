// `vast-provisioner status`: all pods of the account, or the one that runs here. Wires settings, account and cluster; touches the terminal.
import { type Clock, systemClock } from "../../common/clock.ts";
import { type CommandCall, EXIT, type ExitCode } from "../../common/command.ts";
import { messageOf } from "../../common/errors.ts";
import { scrub } from "../../common/logging.ts";
import { readSettings, SettingsError, type SettingsSource } from "../../common/settings.ts";
import { readSmallFileSync } from "../../common/small-file.ts";
import { openCluster } from "../kubernetes/cluster.ts";
import { statusNames, statusScreen } from "../screens/status-screen.ts";
import { readLabels } from "../teardown/read-labels.ts";
import type { ReapRequest } from "../teardown/reap-scope.ts";
import { PROVISIONER_VARIABLES } from "../variables.ts";
import type { VastClient } from "../vast/client.ts";
import { connectAccount } from "./connect.ts";
import { askProvisioner, readStatus, type StatusParts, type StatusReading } from "./read-status.ts";
import { redraw } from "./redraw.ts";
import { openStatusRedis } from "./status-redis.ts";

export async function statusCommand(call: CommandCall, source: SettingsSource): Promise<ExitCode> {
  const { terminal, options, output } = call;
  const watch = options.watch === true;
  if (watch && (output === "json" || output === "name"))
    throw new SettingsError([`--watch redraws a screen: leave it out with -o ${output}, and call status again.`]);
  if (watch && terminal.width() === null)
    throw new SettingsError(["--watch redraws the screen of a terminal, and this is none: leave it out."]);
  const apiKey = options.own === true ? null : readKey(source);
  const account = apiKey === null ? null : accountOf(source, apiKey, systemClock);
  const redis =
    account === null || apiKey === null ? null : await openStatusRedis(source, account, apiKey, systemClock);
  try {
    return await showStatus(call, { ...statusParts(call, source), client: account, redis });
  } finally {
    redis?.close();
  }
}

async function showStatus({ terminal, options, output }: CommandCall, parts: StatusParts): Promise<ExitCode> {
  const show = ({ status }: StatusReading) => statusScreen(status, terminal.paint, terminal.width(), output === "wide");
  if (options.watch === true) return redraw(async () => show(await readStatus(parts)), terminal.out, parts.clock);
  const reading = await readStatus(parts);
  if (output === "json") terminal.out(`${JSON.stringify(reading.status)}\n`);
  else terminal.out(output === "name" ? statusNames(reading.status) : show(reading));
  return reading.complete ? EXIT.done : EXIT.failed;
}

function statusParts({ options }: CommandCall, source: SettingsSource): Omit<StatusParts, "client" | "redis"> {
  const clock = systemClock;
  const names = ["VAST_LABEL", "PROVISIONER_STATUS_PORT"] as const;
  const { values } = readSettings(PROVISIONER_VARIABLES, source, names);
  const prefix = typeof options.prefix === "string" ? options.prefix : null;
  const label = values.VAST_LABEL;
  const canTell = prefix !== null && source.env.KUBERNETES_SERVICE_HOST !== undefined;
  return {
    askProvisioner: () => askProvisioner(values.PROVISIONER_STATUS_PORT, clock),
    prefix,
    readLabels: canTell ? () => labelsOfCluster(source, { prefix, label, setDeleted: false }, clock) : null,
    clock,
  };
}

async function labelsOfCluster({ env }: SettingsSource, request: ReapRequest, clock: Clock) {
  try {
    return await readLabels(openCluster({ env, readFile: readSmallFileSync, clock }), request);
  } catch (error) {
    return { problem: messageOf(error) }; // a pod without a service account's token
  }
}

/** Null where none is set: then the provisioner here is asked, which has one. */
function readKey(source: SettingsSource): string | null {
  const { VAST_API_KEY: key, VAST_API_KEY_FILE: file } = source.env;
  if (!key && !file) return null;
  return readSettings(PROVISIONER_VARIABLES, source, ["VAST_API_KEY"]).values.VAST_API_KEY;
}

function accountOf(source: SettingsSource, apiKey: string, clock: Clock): VastClient {
  const { VAST_URL: baseUrl } = readSettings(PROVISIONER_VARIABLES, source, ["VAST_URL"]).values;
  return connectAccount({
    baseUrl,
    apiKey: () => apiKey,
    secrets: () => [apiKey],
    clock,
    random: Math.random,
    client: { clean: (text) => scrub(text, [apiKey]) },
  }).client;
}
