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
  | { kind: "http"; delayMs: number; status: number; body(): string };

/** Sends a request to `ip`:`port` without TCP, for the simulation. `likely` is the instance that is probably reached. */
export function visit(world: World, ip: string, port: number, request: Visit, likely?: number): Visited {
  const expected = likely === undefined ? undefined : world.live.get(likely);
  const found = (expected && listenerOf(expected, ip.trim(), port)) ?? listenerAt(world, ip.trim(), port);
  if (found === null) return { kind: "refused" };
  const { instance, container } = found;
  return container === 22 ? { kind: "ssh", banner: SSH_BANNER } : { kind: "http", ...answerOf(instance, request) };
}

interface Listener {
  instance: Instance;
  container: number;
}

/** Who listens there. The list of all endpoints would be made for each probe of a simulation. */
function listenerAt(world: World, ip: string, port: number): Listener | null {
  for (const instance of world.live.values()) {
    const found = listenerOf(instance, ip, port);
    if (found !== null) return found;
  }
  return null;
}

function listenerOf(instance: Instance, ip: string, port: number): Listener | null {
  if (instance.ip !== ip || !isListening(instance)) return null;
  const entry = instance.ports?.find((one) => one.protocol === "tcp" && one.host === port);
  return entry === undefined ? null : { instance, container: entry.container };
}

export const SSH_BANNER = "SSH-2.0-OpenSSH_8.9p1 Ubuntu-3ubuntu0.13\r\n";

/** The instance's answer: its id and an echo of the request. `body` makes it: a probe does not read it. */
export function answerOf(instance: Instance, request: Visit): { delayMs: number; status: number; body(): string } {
  const { id, label, spec, answerDelayMs, answerStatus } = instance;
  const body = () => `${JSON.stringify({ instance: id, label, image: spec.image, ...request })}\n`;
  return { delayMs: answerDelayMs, status: answerStatus ?? 200, body };
}
