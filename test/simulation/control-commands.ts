// What a simulation orders of the emulator beside the API's own calls. Touches the emulator.
import type { Emulator } from "../emulator/emulator.ts";
import type { JsonObject } from "../emulator/json.ts";

/** Orders something of the emulator by its control route; what it refuses is a mistake of the simulation. */
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

/** Instances of the same account that are none of ours, some of which look as if they were. */
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
