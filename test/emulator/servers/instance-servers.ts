// Opens and closes real servers to match the emulator's listening ports. Touches TCP ports.
import type { Emulator } from "../emulator.ts";
import type { Endpoint } from "../instances/endpoints.ts";
import { type InstanceServer, openInstanceServer } from "./instance-server.ts";

export interface InstanceServers {
  /** Opens and closes servers until the ports match the emulator. Concurrent calls share one pass. */
  reconcile(): Promise<void>;
  close(): Promise<void>;
}

export function instanceServers(emulator: Emulator): InstanceServers {
  const open = new Map<string, InstanceServer>();
  let closed = false;
  let running: Promise<void> = Promise.resolve();

  const pass = async () => {
    const wanted = new Map(closed ? [] : emulator.endpoints().map((endpoint) => [keyOf(endpoint), endpoint]));
    for (const [key, server] of open) {
      if (wanted.has(key)) continue;
      open.delete(key);
      await server.close();
    }
    for (const [key, endpoint] of wanted) {
      if (!open.has(key)) await openOne(key, endpoint);
    }
  };
  const openOne = async (key: string, endpoint: Endpoint) => {
    const instance = emulator.world.instances.get(endpoint.instanceId);
    if (!instance) return;
    try {
      open.set(key, await openInstanceServer(endpoint, instance));
    } catch (error) {
      if (!isTaken(error)) throw error;
      // Another program uses the port: the instance gets another one before the first was shown.
      const port = instance.ports?.find((one) => one.host === endpoint.port);
      if (!port) return;
      port.host = emulator.world.takePort(endpoint.ip);
      await openOne(keyOf({ ...endpoint, port: port.host }), { ...endpoint, port: port.host });
    }
  };
  const next = () => {
    running = running.then(pass, pass);
    return running;
  };
  return {
    reconcile: next,
    close: () => {
      closed = true;
      return next();
    },
  };
}

function keyOf({ instanceId, ip, port, container }: Endpoint): string {
  return `${instanceId} ${ip} ${port} ${container}`;
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}
