// Lets both loops share a probe of the same endpoint that is in flight. Touches only the probe that it is given.
import type { ProbeResult } from "../model/observation.ts";
import type { Probe } from "./probe.ts";

/** Whoever asks for an endpoint while it is being probed gets that probe's result: one connection, and one failure to count. */
export function shareProbe(probe: Probe): Probe {
  const inFlight = new Map<string, Promise<ProbeResult>>();
  return (endpoint, instanceId, signal) => {
    const key = `${endpoint.host} ${endpoint.port} ${instanceId}`;
    const running = inFlight.get(key);
    if (running !== undefined) return running;
    const started = probe(endpoint, instanceId, signal).finally(() => inFlight.delete(key));
    inFlight.set(key, started);
    return started;
  };
}
