// What the pods under test deal with, in a namespace of its own: the emulator of Vast.ai and a client of their Service. Touches the
// cluster and the given folder.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createEmulatorControl, type EmulatorControl } from "../integration/emulator-control.ts";
import { createClient, type ServiceClient } from "./client.ts";
import { getJson, kubectl } from "./kubectl.ts";
import { CLIENT, EMULATOR, NODE_PORT_SERVICE, outsideObjects } from "./outside.ts";

export interface Surroundings {
  emulator: EmulatorControl;
  client: ServiceClient;
  /** The API of Vast.ai, for the pods. */
  vastUrl: string;
}

/** `apiUrl` is the proxy to the API server; `inside` the namespace of the pods under test. */
export async function openSurroundings(
  folder: string,
  apiUrl: string,
  outside: string,
  inside: string,
): Promise<Surroundings> {
  await createNamespace(folder, outside);
  const objects = join(folder, "outside.json");
  const items = outsideObjects(outside, inside);
  await writeFile(objects, JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  const outsideKubectl = (...args: string[]) => kubectl("--namespace", outside, ...args);
  await outsideKubectl("apply", "--filename", objects);
  await outsideKubectl("wait", "--for=condition=Available", `deployment/${EMULATOR}`, "--timeout=300s");
  await outsideKubectl("wait", "--for=condition=Ready", `pod/${CLIENT}`, "--timeout=300s");
  const at = (path: string) => `${apiUrl}/api/v1/namespaces/${outside}/${path}/proxy`;
  return {
    emulator: createEmulatorControl(at(`services/${EMULATOR}:http`)),
    client: createClient(at(`pods/${CLIENT}:9000`)),
    vastUrl: await nodePortUrl(outside),
  };
}

export async function createNamespace(folder: string, name: string): Promise<void> {
  const path = join(folder, `${name}.json`);
  const labels = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/warn": "restricted",
  };
  await writeFile(path, JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } }));
  await kubectl("create", "--filename", path);
}

/** Deletes them without waiting. Some may be gone already. */
export async function deleteNamespaces(...names: string[]): Promise<void> {
  await kubectl("delete", "namespace", ...names, "--ignore-not-found", "--wait=false");
  // Without the emulator the pods would try to destroy their instances until their time is over.
  for (const one of names) {
    await kubectl("delete", "pods", "--all", "--namespace", one, "--force", "--grace-period=0", "--wait=false");
  }
}

/** The API by an address of a node: every pod calls it from the same address. */
async function nodePortUrl(namespace: string): Promise<string> {
  const service = await getJson<{ spec: { ports: { nodePort: number }[] } }>(
    ...["service", NODE_PORT_SERVICE, "--namespace", namespace],
  );
  const nodes = await getJson<{ items: { status: { addresses: { type: string; address: string }[] } }[] }>("nodes");
  const address = nodes.items[0]?.status.addresses.find(({ type }) => type === "InternalIP")?.address;
  return `http://${address}:${service.spec.ports[0]?.nodePort}`;
}
