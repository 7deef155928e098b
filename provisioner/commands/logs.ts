// `vast-provisioner logs`: what the container of this pod's instance printed. Wires settings and account; touches the API and the terminal.
import { type Clock, systemClock } from "../../common/clock.ts";
import { type CommandCall, EXIT, type ExitCode } from "../../common/command.ts";
import { SettingsError, type SettingsSource } from "../../common/settings.ts";
import { whyText } from "../model/account.ts";
import { unknownBecause } from "../observe/unknown.ts";
import { logLines } from "../screens/log-lines.ts";
import type { VastClient } from "../vast/client.ts";
import { asVastError } from "../vast/errors.ts";
import {
  type FetchText,
  fetchInstanceLogs,
  fetchText,
  type LogRequest,
  requestInstanceLogs,
} from "../vast/instance-logs.ts";
import type { Instance } from "../vast/rows.ts";
import type { Send } from "../vast/transport.ts";
import { connectAccount } from "./connect.ts";
import { readLogsSettings } from "./logs-settings.ts";

export async function logsCommand(call: CommandCall, source: SettingsSource): Promise<ExitCode> {
  const { vastUrl, apiKey, label, secrets } = readLogsSettings(source);
  const request = readLogsRequest(call.options);
  const { client, send } = connectAccount({
    baseUrl: vastUrl,
    apiKey: () => apiKey,
    secrets: () => secrets,
    clock: systemClock,
    random: Math.random,
  });
  return showLogs(call, request, {
    client,
    send,
    fetchText,
    clock: systemClock,
    label,
    apiUrl: vastUrl,
    secrets,
  });
}

interface LogsParts {
  client: Pick<VastClient, "listInstances">;
  send: Send;
  fetchText: FetchText;
  clock: Clock;
  label: string;
  apiUrl: string;
  secrets: readonly string[];
}

export interface LogsRequest extends LogRequest {
  /** Null: the newest one with the pod's label. */
  instanceId: number | null;
}

export async function showLogs(
  { terminal, output }: Pick<CommandCall, "terminal" | "output">,
  request: LogsRequest,
  { client, send, fetchText: fetch, clock, label, apiUrl, secrets }: LogsParts,
): Promise<ExitCode> {
  const ids = (await listed(client, label)).map(({ id }) => id).sort((a, b) => b - a);
  const [newest] = ids;
  if (newest === undefined)
    throw new Error(`no instance has the label ${label}; Vast.ai keeps no log of an instance that was destroyed`);
  const id = request.instanceId ?? newest;
  if (!ids.includes(id)) throw new Error(`no instance ${id} has the label ${label}: it has ${ids.join(", ")}`);
  if (output === "name") {
    terminal.out(`${id}\n`);
    return EXIT.done;
  }
  if (request.instanceId === null && ids.length > 1)
    terminal.err(`Of the instances ${ids.join(", ")} this is ${id}, the newest: --instance chooses another one.\n`);
  terminal.err(`Waiting for the log of the instance ${id}, up to a minute.\n`);
  const url = await requestInstanceLogs(send, id, request);
  const lines = logLines(await fetchInstanceLogs(url, apiUrl, fetch, clock), secrets);
  if (output === "json") terminal.out(`${JSON.stringify({ schema: 1, instanceId: id, of: request.of, lines })}\n`);
  else if (lines.length === 0) terminal.err("The log is empty.\n");
  else terminal.out(`${lines.join("\n")}\n`);
  return EXIT.done;
}

async function listed(client: LogsParts["client"], label: string): Promise<readonly Instance[]> {
  try {
    return await client.listInstances(label);
  } catch (error) {
    throw new Error(`the instances are unknown (${whyText(unknownBecause(asVastError(error)).why)})`);
  }
}

const TAIL = 200;

/** Throws a `SettingsError` with all problems. */
export function readLogsRequest({ instance, tail, filter, daemon }: CommandCall["options"]): LogsRequest {
  const problems: string[] = [];
  const whole = (name: string, text: unknown) => {
    if (typeof text === "string" && /^[1-9]\d{0,14}$/.test(text)) return Number(text);
    if (text !== undefined) problems.push(`--${name} must be a whole number, 1 or more.`);
    return null;
  };
  const request = {
    instanceId: whole("instance", instance),
    tail: whole("tail", tail) ?? TAIL,
    filter: typeof filter === "string" ? filter : null,
    of: daemon === true ? "daemon" : "container",
  } as const;
  if (problems.length > 0) throw new SettingsError(problems);
  return request;
}
