// Calls the emulator's control routes for a test.

/** A contract of the emulator, live or ended. */
export interface EmulatedInstance {
  id: number;
  label: string | null;
  host_id: number;
  machine_id: number;
  image_uuid: string;
  template_hash_id: string | null;
  actual_status: string | null;
  destroyedAt: number | null;
  disk_space: number;
  /** $ until now. */
  cost: { gpu: number; disk: number; traffic: number };
}

/** A request that the emulator received. */
export interface RecordedRequest {
  n: number;
  at: string;
  method: string;
  path: string;
  query: Record<string, string>;
  body: unknown;
  status: number | null;
}

export interface EmulatorControl {
  readonly url: string;
  state(): Promise<{
    instances: EmulatedInstance[];
    templates: { id: number; name: string; hash_id: string; creator_id: number }[];
  }>;
  /** Live contracts with the label, oldest first. */
  live(label: string): Promise<EmulatedInstance[]>;
  requests(): Promise<RecordedRequest[]>;
  /** Creates, destroys and every other request that changes something. */
  mutations(): Promise<RecordedRequest[]>;
  event(instance: number | "any", name: string, body?: unknown): Promise<void>;
  send(method: string, path: string, body?: unknown): Promise<unknown>;
}

export function createEmulatorControl(url: string): EmulatorControl {
  const send = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${url}/_emulator/${path}`, {
      method,
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} /_emulator/${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  };
  const control: EmulatorControl = {
    url,
    send,
    state: async () => (await send("GET", "state")) as Awaited<ReturnType<EmulatorControl["state"]>>,
    live: async (label) => (await control.state()).instances.filter((i) => i.label === label && i.destroyedAt === null),
    requests: async () => (await send("GET", "requests")) as RecordedRequest[],
    mutations: async () =>
      (await control.requests()).filter(
        (r) => r.method === "DELETE" || r.method === "PUT" || (r.method === "POST" && !r.path.includes("/bundles/")),
      ),
    event: async (instance, name, body) => void (await send("POST", `instances/${instance}/${name}`, body ?? {})),
  };
  return control;
}
