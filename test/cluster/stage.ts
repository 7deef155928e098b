// One deployment of the manifests in two namespaces of its own: the pods under test, and outside of them the emulator and a client. Needs
// the cluster of KUBECONFIG. Touches the cluster and a temporary folder.
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import type { EmulatedInstance, EmulatorControl } from "../integration/emulator-control.ts";
import { MANIFESTS } from "../kubernetes/kustomize.ts";
import { until } from "../sandbox/until.ts";
import type { ServiceClient } from "./client.ts";
import { getJson, kubectl, openApiProxy } from "./kubectl.ts";
import type { PodObject, SetObject } from "./objects.ts";
import { createNamespace, deleteNamespaces, openSurroundings } from "./surroundings.ts";

export interface Stage {
  namespace: string;
  emulator: EmulatorControl;
  client: ServiceClient;
  /** kubectl in the namespace of the pods. */
  kubectl(...args: string[]): Promise<string>;
  /** `kubectl apply -k` of the manifests, with these settings beside those that it has. Fails on a warning of the cluster. */
  apply(settings?: Readonly<Record<string, string>>): Promise<string>;
  /** `kubectl delete -k` of the manifests. */
  remove(): Promise<void>;
  /** The pods with an instance, also those that are ending. */
  pods(): Promise<PodObject[]>;
  /** Fails when there is none. */
  firstPod(): Promise<PodObject>;
  set(): Promise<SetObject>;
  /** All instances that are billed. */
  live(): Promise<EmulatedInstance[]>;
  /** Waits until so many pods are ready and the StatefulSet has no others. Returns the instances. */
  serving(pods: number): Promise<EmulatedInstance[]>;
  /** Waits until no pod is left. */
  gone(timeoutMs: number): Promise<void>;
  scale(replicas: number): Promise<void>;
  /** Asks the API server to evict the pod, as the drain of a node does. */
  evict(pod: string): Promise<void>;
  close(): Promise<void>;
}

// A start takes half a minute on an idle machine. It only ends a wait that has no hope.
export const PATIENCE_MS = 600_000;
const POD_LABELS = "app.kubernetes.io/name=vast-pod,app.kubernetes.io/component=pod";

export async function openStage(name: string): Promise<Stage> {
  // Another run may have been killed, and its namespace still be there.
  const namespace = `vast-pod-${name}-${process.pid}`;
  const outside = `${namespace}-outside`;
  const folder = await realpath(await mkdtemp(join(tmpdir(), "vast-pod-stage-")));
  const api = await openApiProxy();
  const close = async () => {
    await deleteNamespaces(namespace, outside);
    await api.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await createNamespace(folder, namespace);
    const { emulator, client, vastUrl } = await openSurroundings(folder, api.url, outside, namespace);
    const settings = { ...SETTINGS, VAST_URL: vastUrl };
    return { ...createStage(namespace, join(folder, "overlay"), settings, emulator, client), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** As the demo's. */
const SETTINGS = {
  VAST_TEMPLATE_IMAGE: "example/app:2",
  VAST_TEMPLATE_NAME: "demo",
  VAST_SEARCH_QUERY: "gpu_name=RTX_4090 num_gpus=1",
};

function overlay(folder: string, settings: Readonly<Record<string, string>>): object {
  const from = (path: string) => relative(folder, join(MANIFESTS, path));
  return {
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    resources: [from("base")],
    components: ["reaper", "blacklist", "scale-down"].map((one) => from(`components/${one}`)),
    patches: [
      // A test starts it itself: its own hour must not come in between.
      { target: { kind: "CronJob" }, patch: JSON.stringify([{ op: "add", path: "/spec/suspend", value: true }]) },
      // Without a StorageClass: as in the demo, the data of Redis ends with its pod.
      {
        target: { kind: "StatefulSet", name: "vast-pod-redis" },
        patch: JSON.stringify([
          { op: "remove", path: "/spec/volumeClaimTemplates" },
          {
            op: "add",
            path: "/spec/template/spec/volumes/-",
            value: { name: "data", emptyDir: { sizeLimit: "64Mi" } },
          },
        ]),
      },
    ],
    configMapGenerator: [
      {
        name: "vast-pod",
        behavior: "merge",
        literals: Object.entries(settings).map(([key, value]) => `${key}=${value}`),
      },
    ],
    secretGenerator: [
      {
        name: "vast-pod",
        literals: ["VAST_API_KEY=emulator-key", "DOCKER_LOGIN=none", "REDIS_PASSWORD=test"],
        options: { disableNameSuffixHash: true },
      },
    ],
  };
}

function createStage(
  namespace: string,
  folder: string,
  first: Readonly<Record<string, string>>,
  emulator: EmulatorControl,
  client: ServiceClient,
): Omit<Stage, "close"> {
  let settings = first;
  const inside = (...args: string[]) => kubectl("--namespace", namespace, ...args);
  const stage: Omit<Stage, "close"> = {
    namespace,
    emulator,
    client,
    kubectl: inside,
    apply: async (more = {}) => {
      settings = { ...settings, ...more };
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, "kustomization.yaml"), JSON.stringify(overlay(folder, settings)));
      return inside("apply", "--warnings-as-errors", "--kustomize", folder);
    },
    remove: async () => void (await inside("delete", "--kustomize", folder)),
    pods: async () =>
      (await getJson<{ items: PodObject[] }>("pods", "--namespace", namespace, "--selector", POD_LABELS)).items,
    firstPod: async () => {
      const [first] = await stage.pods();
      if (first === undefined) throw new Error("there is no pod");
      return first;
    },
    set: () => getJson<SetObject>("statefulset", "vast-pod", "--namespace", namespace),
    live: async () => (await emulator.state()).instances.filter((one) => one.destroyedAt === null),
    serving: async (count) => {
      await until(
        `${count} pods are ready`,
        async () => {
          const { metadata, spec, status } = await stage.set();
          if (status.observedGeneration !== metadata.generation || spec.replicas !== count) return false;
          return status.replicas === count && status.readyReplicas === count && status.updatedReplicas === count;
        },
        { timeoutMs: PATIENCE_MS, everyMs: 500, context: () => inside("get", "pods", "--output", "wide") },
      );
      return stage.live();
    },
    gone: async (timeoutMs) => {
      await until("no pod is left", async () => (await stage.pods()).length === 0, { timeoutMs, everyMs: 500 });
    },
    scale: async (replicas) => void (await inside("scale", "statefulset", "vast-pod", `--replicas=${replicas}`)),
    evict: async (name) => {
      const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace } };
      const path = join(folder, "eviction.json");
      await writeFile(path, JSON.stringify(eviction));
      await inside("create", "--raw", `/api/v1/namespaces/${namespace}/pods/${name}/eviction`, "--filename", path);
    },
  };
  return stage;
}
