// Which public address and port of an instance is probed and served. Pure.
import { localKind, localProblem } from "../../common/local-address.ts";
import { isHost } from "../../common/upstream-file.ts";
import type { Instance } from "../vast/rows.ts";
import { type InstancePhase, phaseOf } from "./instance-phase.ts";

export interface Endpoint {
  host: string;
  port: number;
}

/** The endpoint, or why there is none. `ours`: waiting does not help, the template or a setting must change. */
export type EndpointChoice = { found: true; endpoint: Endpoint } | { found: false; ours: boolean; why: string };

// sshd, and Vast.ai's own Jupyter or portal: served only when VAST_UPSTREAM_PORT names them.
const NEVER_CHOSEN = new Set(["22/tcp", "8080/tcp"]);

/**
 * With `wantedPort` (a container port): its entry in the `ports` map. Without: the only published TCP port other than 22
 * and 8080; of several the one that is `direct_port_start`. For an instance that has been running without a map for
 * `noMapForMs`, a minute or more, its `direct_port_start`, if it has one.
 */
export function chooseEndpoint(instance: Instance, wantedPort: number | undefined, noMapForMs: number): EndpointChoice {
  if (instance.address === "") return none(false, "no public address yet");
  if (!isHost(instance.address)) return none(false, "its public address is neither an IP address nor a name");
  if (instance.ports === null || !hasMap(instance)) return withoutMap(instance, wantedPort, noMapForMs);
  const published = Object.entries(instance.ports).filter(([name]) => name.endsWith("/tcp"));
  if (wantedPort !== undefined) {
    const port = instance.ports[`${wantedPort}/tcp`];
    if (port !== undefined) return at(instance, port);
    return none(
      true,
      `VAST_UPSTREAM_PORT ${wantedPort} is not among the published ports (${list(published)}): publish it in the template with -p ${wantedPort}:${wantedPort}`,
    );
  }
  const candidates = published.filter(([name]) => !NEVER_CHOSEN.has(name));
  const only = candidates.length === 1 ? candidates[0] : undefined;
  if (only !== undefined) return at(instance, only[1]);
  const first = candidates.find(([, port]) => port === instance.directPortStart);
  if (first !== undefined) return at(instance, first[1]);
  const remedy =
    candidates.length === 0
      ? "publish the app's port in the template, like -p 8000:8000"
      : "set VAST_UPSTREAM_PORT to one of them";
  return none(true, `the published ports are ${list(published)}: ${remedy}`);
}

// The map can be missing for a few lists after `running`; after a minute it does not come any more.
const NO_MAP_MS = 60_000;

/** An empty map counts as a missing one. */
export function hasMap(instance: Instance): boolean {
  return Object.keys(instance.ports ?? {}).length > 0;
}

/** What is known from earlier passes about where an instance is reached. */
export interface KnownEndpoint {
  endpoint: Endpoint | null;
  /** Epoch ms since when it runs without a port map, or null. */
  noMapSince: number | null;
}

/** The endpoint of a row in this pass: the one to probe, and to serve while its probe passes. */
export function currentEndpoint(
  row: Instance,
  before: KnownEndpoint | undefined,
  wantedPort: number | undefined,
  now: number,
): EndpointChoice {
  const phase = phaseOf(row, row.createdAt ?? now, now);
  const noMapForMs = phase.phase === "running" ? now - (before?.noMapSince ?? now) : 0;
  const last = before?.endpoint ?? null;
  if (last === null || !mayRun(phase)) return chooseEndpoint(row, wantedPort, noMapForMs);
  // The address or the map can be missing for one list while the container keeps running: the known ones are kept, because
  // `direct_port_start` may be sshd's. When the container does not run, the port may soon belong to somebody else.
  const host = isHost(row.address) ? row.address : last.host;
  if (!hasMap(row)) return { found: true, endpoint: { host, port: last.port } };
  return chooseEndpoint({ ...row, address: host }, wantedPort, noMapForMs);
}

/** The same, unless the address can only mean this machine or its link: nothing is probed or published there. */
export function remoteOnly(choice: EndpointChoice): EndpointChoice {
  const kind = choice.found ? localKind(choice.endpoint.host) : null;
  return choice.found && kind !== null ? none(false, localProblem(choice.endpoint.host, kind)) : choice;
}

/** An instance whose heartbeat is missing may still run its container. */
function mayRun(phase: InstancePhase): boolean {
  return (
    phase.phase === "running" || (phase.phase === "lost" && (phase.status === "unknown" || phase.status === "offline"))
  );
}

function withoutMap(instance: Instance, wantedPort: number | undefined, noMapForMs: number): EndpointChoice {
  if (wantedPort === undefined && instance.directPortStart !== null && noMapForMs >= NO_MAP_MS)
    return at(instance, instance.directPortStart);
  return none(false, "no public port yet");
}

function at(instance: Instance, port: number): EndpointChoice {
  return { found: true, endpoint: { host: instance.address, port } };
}

function none(ours: boolean, why: string): EndpointChoice {
  return { found: false, ours, why };
}

function list(published: readonly (readonly [string, number])[]): string {
  return published.length === 0 ? "none" : published.map(([name]) => name).join(", ");
}
