// The ports of an instance: which are published, under which numbers, and how the row shows them. Pure.
import type { Json } from "../json.ts";
import { wishedPorts } from "../templates/docker-flags.ts";
import type { World } from "../world.ts";
import { pullOf } from "./images.ts";
import type { Instance, PublishedPort } from "./instance.ts";

const MOST_PORTS = 64; // documented limit

/** Publishes the container's ports under new numbers, on the machine's address. */
export function publishPorts(world: World, instance: Instance): void {
  const ip = instance.ip ?? world.settings.advertise ?? instance.machine.publicIp;
  const wanted = new Map<string, { container: number; protocol: "tcp" | "udp"; identity: boolean }>();
  for (const wish of wishedPorts(instance.spec.env)) wanted.set(`${wish.container}/${wish.protocol}`, wish);
  const more = [...pullOf(instance.spec.image, world.settings).exposes];
  if (/ssh|jupyter/.test(instance.spec.runtype)) more.push("22/tcp");
  if (/jupyter/.test(instance.spec.runtype)) more.push("8080/tcp");
  for (const key of more) {
    const [port, protocol] = key.split("/");
    const container = Number(port);
    if (!wanted.has(key)) wanted.set(key, { container, protocol: protocol === "udp" ? "udp" : "tcp", identity: false });
  }
  const published: PublishedPort[] = [];
  // A host publishes only as many ports as it has; some have none.
  const most = Math.min(MOST_PORTS, numberFact(instance, "direct_port_count"));
  for (const { container, protocol, identity } of [...wanted.values()].slice(0, most)) {
    const host = freePort(world, ip, published);
    // A number of 70000 and more stands for "the same inside as outside".
    published.push({ container: identity ? host : container, protocol, host });
  }
  instance.ip = ip;
  instance.ports = published;
}

/** A number that no contract has on this address, listening or not. */
function freePort(world: World, ip: string, published: readonly PublishedPort[]): number {
  const used = new Set(published.map((port) => port.host));
  for (const instance of world.live.values()) {
    if (instance.ip === ip) for (const port of instance.ports ?? []) used.add(port.host);
  }
  for (;;) {
    const port = world.takePort(ip);
    if (!used.has(port)) return port;
  }
}

/** The docker port map as the row has it: null until it shows, HostPort a string. */
export function portMap(world: World, instance: Instance): Json {
  if (instance.ports === null || world.time < instance.portsShownAt) return null;
  const { ipv6Twin } = world.settings;
  const twin = ipv6Twin === "always" || (ipv6Twin === "some" && instance.machine.ipv6);
  const map: Record<string, Json> = {};
  for (const { container, protocol, host } of instance.ports) {
    const entry = { HostIp: "0.0.0.0", HostPort: String(host) };
    map[`${container}/${protocol}`] = twin ? [entry, { HostIp: "::", HostPort: String(host) }] : [entry];
  }
  return map;
}

/** First and last number of the assigned range; -1 unless the instance runs and has published something. */
export function directRange(world: World, instance: Instance): { start: number; end: number } {
  const hosts = (instance.ports ?? []).map((port) => port.host);
  const first = hosts[0];
  if (instance.actualStatus !== "running" || first === undefined || world.time < instance.portsShownAt) {
    return { start: -1, end: -1 };
  }
  return { start: first, end: Math.max(...hosts) };
}

function numberFact(instance: Instance, name: string): number {
  const value = instance.machine.overrides[name] ?? instance.machine.facts[name];
  return typeof value === "number" ? value : 0;
}
