// The reachable ports of the running instances, and what they answer to a plain request. Pure.
import type { World } from "../world.ts";
import { type Instance, isLive } from "./instance.ts";

/** A TCP port that an instance listens on. */
export interface Endpoint {
  instanceId: number;
  container: number;
  ip: string;
  port: number;
}

/** True while something of the instance listens. */
export function isListening(instance: Instance): boolean {
  return isLive(instance) && instance.serving && !instance.muted && instance.reachable && instance.ports !== null;
}

/** Every port that listens now. */
export function endpoints(world: World): Endpoint[] {
  const found: Endpoint[] = [];
  for (const instance of world.live.values()) {
    if (!isListening(instance) || instance.ip === null) continue;
    for (const { container, protocol, host } of instance.ports ?? []) {
      if (protocol === "tcp") found.push({ instanceId: instance.id, container, ip: instance.ip, port: host });
    }
  }
  return found;
}

export interface Visit {
  method: string;
  url: string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: string;
}

/** A port's answer as data; `ssh` is a banner instead of HTTP. */
export type Visited =
  | { kind: "refused" }
  | { kind: "ssh"; banner: string }
  | { kind: "http"; delayMs: number; status: number; body: string };

/** Sends a request to `ip`:`port` without TCP, for the simulation. */
export function visit(world: World, ip: string, port: number, request: Visit): Visited {
  const endpoint = endpoints(world).find((one) => one.ip === ip.trim() && one.port === port);
  const instance = endpoint && world.instances.get(endpoint.instanceId);
  if (!endpoint || !instance) return { kind: "refused" };
  if (endpoint.container === 22) return { kind: "ssh", banner: SSH_BANNER };
  return { kind: "http", ...answerOf(instance, request) };
}

export const SSH_BANNER = "SSH-2.0-OpenSSH_8.9p1 Ubuntu-3ubuntu0.13\r\n";

/** The instance's answer: its id and an echo of the request. */
export function answerOf(instance: Instance, request: Visit): { delayMs: number; status: number; body: string } {
  const { method, url, headers, body } = request;
  const echo = { instance: instance.id, label: instance.label, image: instance.spec.image, method, url, headers, body };
  return {
    delayMs: instance.answerDelayMs,
    status: instance.answerStatus ?? 200,
    body: `${JSON.stringify(echo)}\n`,
  };
}
