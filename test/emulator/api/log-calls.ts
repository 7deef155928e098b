// Logs of an instance: requested now, downloaded from another address when they are ready.

import type { Instance } from "../instances/instance.ts";
import { numberOrNull, textOrNull } from "../json.ts";
import { type ApiResponse, json, refusal, text } from "../message.ts";
import type { World } from "../world.ts";
import { type Call, fields } from "./call.ts";
import { liveInstance } from "./instance-writes.ts";

export const LOG_PATH = "/instance_logs/";

/** Returns where the log will be. */
export function requestLogs(world: World, call: Call): ApiResponse {
  const instance = liveInstance(world, call.id);
  if (!instance) return refusal(404, "invalid_id", "Invalid instance id.");
  const { tail, filter, daemon_logs: daemon } = fields(call);
  const wanted = textOrNull(filter);
  let lines = daemon === "true" || daemon === true ? daemonLines(instance) : containerLines(world, instance);
  if (wanted !== null) lines = lines.filter((line) => line.includes(wanted));
  const count = numberOrNull(tail) ?? 1000;
  const path = storeLog(world, count > 0 ? lines.slice(-count) : []);
  return json(200, { success: true, result_url: `${call.base}${path}`, msg: "logs requested" });
}

/** Keeps a result; returns the path from which it can be fetched after a while. */
export function storeLog(world: World, lines: readonly string[]): string {
  const name = `${world.random.hex(32)}.log`;
  const readyAt = world.time + world.settings.logSeconds * 1000;
  world.logs.set(name, { readyAt, text: lines.map((line) => `${line}\n`).join("") });
  return `${LOG_PATH}${name}`;
}

/** GET of a result: 403 until it is ready. No key is needed, as with the real API's storage. */
export function fetchLog(world: World, path: string): ApiResponse {
  const log = world.logs.get(path.slice(LOG_PATH.length));
  if (!log || world.time < log.readyAt) {
    return text(403, "<Error><Code>AccessDenied</Code></Error>", "application/xml");
  }
  return text(200, log.text);
}

function stamp(ms: number): string {
  return new Date(ms).toISOString();
}

function containerLines(world: World, instance: Instance): string[] {
  if (instance.firstRunningAt === null) return [];
  const ports = (instance.ports ?? []).map((port) => port.container).join(", ");
  const lines = [`${stamp(instance.firstRunningAt)} starting ${instance.spec.image}`];
  if (instance.serving) lines.push(`${stamp(instance.runningSince ?? world.time)} listening on ${ports}`);
  if (instance.actualStatus === "exited") lines.push(`${stamp(world.time)} terminated`);
  return lines;
}

function daemonLines(instance: Instance): string[] {
  const lines = [`${stamp(instance.createdAt)} create container C.${instance.id}`];
  if (instance.statusMsg) lines.push(...instance.statusMsg.trimEnd().split("\n"));
  return lines;
}
