// The control commands that a simulation sends to the emulator. Touches the emulator.
import type { Emulator } from "../emulator/emulator.ts";
import type { JsonObject } from "../emulator/json.ts";

/** Sends a command to a control route. Throws if the emulator refuses it, which is a bug of the simulation. */
export function sendCommand(emulator: Emulator, method: string, path: string, body: JsonObject = {}): string {
  const answer = emulator.handle({
    method,
    url: `/_emulator/${path}`,
    headers: {},
    body: JSON.stringify(body),
    from: "127.0.0.1",
  });
  if (answer.status !== 200 && answer.status !== 409) {
    throw new Error(`${method} ${path} ${JSON.stringify(body)}: ${answer.body}`);
  }
  return answer.body;
}

// $/h, about what the pods pay: the emulator's usual machine costs six times as much, and twins on it would outweigh all else in the money.
const TWIN_DPH = 0.06;

/** Somebody creates an instance with the label by hand. */
export function createTwin(emulator: Emulator, label: string | null): void {
  sendCommand(emulator, "POST", "instances", { label, dph_base: TWIN_DPH });
}

/** Creates foreign instances in the account, some with labels similar to the pods'. */
export function createForeignInstances(emulator: Emulator, pods: number, image: string): void {
  const template = emulator.world.templates.find((one) => one.creatorId === emulator.world.account.id);
  const labels = [
    null,
    "",
    "k8s_pod=vast-pod",
    "k8s_pod=vast-pod-00",
    "k8s_pod=vast-pod-0 ",
    "K8S_POD=vast-pod-0",
    "training",
  ];
  labels.push(`k8s_pod=vast-pod-${pods}`);
  for (const label of labels) {
    sendCommand(emulator, "POST", "instances", { label, image_uuid: image, template_id: template?.id ?? null });
  }
}

/** Every so many-th host never starts an instance. */
export function breakHosts(emulator: Emulator, every: number): void {
  const hosts = new Set([...emulator.world.market.machines.values()].map(({ hostId }) => hostId));
  for (const host of hosts) {
    if (host % every === 0) sendCommand(emulator, "POST", `hosts/${host}`, { neverBoots: true });
  }
}

/** The value of a setting, for the command that sets it again. */
export function settingOf(settings: object, name: string): JsonObject[string] {
  const entry = Object.entries(settings).find(([key]) => key === name);
  return entry?.[1] ?? null;
}
