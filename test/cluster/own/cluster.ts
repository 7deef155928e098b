// Brings up our own cluster of one node in the namespaces that namespaces.sh has made. Touches processes, its folder and the firewall
// rules of its own network namespace.

import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { command } from "../../containers/command.ts";
import { findProgram } from "../../sandbox/programs.ts";
import { openSandbox, type Sandbox } from "../../sandbox/sandbox.ts";
import { until } from "../../sandbox/until.ts";
import { API_URL, NODE, NODE_IP, SERVICE_RANGE } from "./addresses.ts";
import { startContainerd } from "./containerd.ts";
import { type Credentials, makeCredentials } from "./credentials.ts";
import { type Lookup, startDns } from "./dns.ts";
import { keepRunning } from "./keep-running.ts";
import { kubeletConfig, proxyConfig } from "./kubelet.ts";
import { readMoreFlags } from "./node.ts";
import { volumes } from "./volumes.ts";

export interface OwnCluster {
  kubeconfig: string;
  close(): Promise<void>;
}

export interface OwnClusterOptions {
  /** The built programs. */
  programs: string;
  /** An archive of all images. */
  images: string;
  /** For data, settings and logs. The one who made it removes it when the processes have ended. */
  folder: string;
  /** The name of the cgroup under which all pods are. */
  cgroup: string;
}

// Seconds on an idle machine. Not a measure: it only ends a wait that has no hope.
const START_MS = 300_000;

export async function startOwnCluster(options: OwnClusterOptions): Promise<OwnCluster> {
  const sandbox = await openSandbox("vast-pod-cluster-");
  try {
    return await start(sandbox, options);
  } catch (error) {
    await sandbox.close();
    throw error;
  }
}

async function start(sandbox: Sandbox, { programs, images, folder, cgroup }: OwnClusterOptions): Promise<OwnCluster> {
  const logs = join(folder, "logs");
  await mkdir(logs, { recursive: true });
  const secrets = join(folder, "credentials");
  await mkdir(secrets, { recursive: true });
  const credentials = await makeCredentials(secrets);
  const get = apiGet(credentials, await readFile(credentials.path("ca.crt"), "utf8"));
  const log = (name: string) => join(logs, `${name}.log`);
  const run = (name: string, args: readonly string[]) =>
    sandbox.start({ name, program: join(programs, name), args, outputFile: log(name) });
  const settings = async (name: string, value: unknown) => {
    const path = join(folder, `${name}.json`);
    await writeFile(path, JSON.stringify(value));
    return path;
  };
  const becomes = (what: string, logName: string, condition: () => Promise<boolean>) =>
    until(what, condition, { timeoutMs: START_MS, everyMs: 250, context: () => tailOf(log(logName)) });

  await run("etcd", etcdArgs());
  await run("kube-apiserver", apiServerArgs(credentials));
  const runtime = startContainerd(sandbox, folder, images, log("containerd"));
  await becomes("the API server is ready", "kube-apiserver", async () => (await get("/readyz")) !== null);
  const controllers = await keepRunning(async () =>
    run("kube-controller-manager", [
      ...["--kubeconfig", credentials.kubeconfig("controller-manager"), "--leader-elect=false"],
      // Each controller acts with its own role; the program itself has no rights but to ask for them.
      ...["--use-service-account-credentials=true", "--root-ca-file", credentials.path("ca.crt")],
      ...["--service-account-private-key-file", credentials.path("accounts.key")],
      ...(await readMoreFlags(folder)),
    ]),
  );
  await run("kube-scheduler", ["--kubeconfig", credentials.kubeconfig("scheduler"), "--leader-elect=false"]);
  await runtime;
  const kubelet = await settings("kubelet", kubeletConfig(folder, credentials.path("ca.crt"), cgroup));
  const agent = await keepRunning(() =>
    run("kubelet", [
      ...["--config", kubelet, "--kubeconfig", credentials.kubeconfig("kubelet")],
      ...["--root-dir", join(folder, "kubelet"), "--cert-dir", join(folder, "kubelet-certificates")],
      ...["--hostname-override", NODE, "--node-ip", NODE_IP],
    ]),
  );
  const proxy = await settings("kube-proxy", proxyConfig(credentials.kubeconfig("proxy")));
  await run("kube-proxy", ["--config", proxy, "--hostname-override", NODE]);
  const closeDns = await startDns(serviceLookup(get));
  await becomes("the node is ready", "kubelet", async () => {
    const node = (await get(`/api/v1/nodes/${NODE}`)) as { status?: { conditions?: Condition[] } } | null;
    return node?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
  });
  await createVolumes(folder, credentials.kubeconfig("admin"));
  return {
    kubeconfig: credentials.kubeconfig("admin"),
    close: async () => {
      for (const kept of [controllers, agent]) kept.release();
      await closeDns();
      await sandbox.close();
    },
  };
}

interface Condition {
  type: string;
  status: string;
}

async function createVolumes(folder: string, kubeconfig: string): Promise<void> {
  const objects = volumes(folder);
  for (const { spec } of objects) {
    await mkdir(spec.hostPath.path);
    // The kubelet gives a folder of the node to no group (fsGroup), and Redis is not root.
    await chmod(spec.hostPath.path, 0o777);
  }
  const path = join(folder, "volumes.json");
  await writeFile(path, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
  await command(findProgram("kubectl", process.env), ["--kubeconfig", kubeconfig, "create", "--filename", path]);
}

const etcdArgs = () => [
  // In memory, and without waiting for a disk: nothing has to survive.
  ...["--data-dir", "/run/etcd", "--unsafe-no-fsync", "--log-level", "warn"],
  ...["--listen-client-urls", "http://127.0.0.1:2379", "--advertise-client-urls", "http://127.0.0.1:2379"],
  ...["--listen-peer-urls", "http://127.0.0.1:2380"],
];

const apiServerArgs = ({ path }: Credentials) => [
  ...["--advertise-address", NODE_IP, "--secure-port", "6443", "--etcd-servers", "http://127.0.0.1:2379"],
  ...["--service-cluster-ip-range", SERVICE_RANGE, "--allow-privileged=true", "--authorization-mode", "Node,RBAC"],
  ...["--enable-admission-plugins", "NodeRestriction", "--token-auth-file", path("tokens.csv")],
  ...["--client-ca-file", path("ca.crt"), "--tls-cert-file", path("server.crt")],
  ...["--tls-private-key-file", path("server.key"), "--service-account-issuer", "https://kubernetes.default.svc"],
  ...["--service-account-key-file", path("accounts.pub"), "--service-account-signing-key-file", path("accounts.key")],
  ...["--kubelet-client-certificate", path("client.crt"), "--kubelet-client-key", path("client.key")],
  // There is no DNS name for the node.
  "--kubelet-preferred-address-types=InternalIP",
];

type Get = (path: string) => Promise<unknown>;

/** Answers the parsed body, or null for everything but 200. */
function apiGet({ token }: Credentials, ca: string): Get {
  return (path) =>
    new Promise((resolve, reject) => {
      const call = request(`${API_URL}${path}`, { ca, headers: { authorization: `Bearer ${token}` } }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => {
          text += part;
        });
        response.on("error", reject);
        response.on("end", () => {
          if (response.statusCode !== 200) return resolve(null);
          resolve(text.startsWith("{") ? JSON.parse(text) : text);
        });
      });
      call.setTimeout(10_000, () => call.destroy(new Error(`the API server does not answer: ${path}`)));
      call.on("error", reject);
      call.end();
    });
}

function serviceLookup(get: Get): Lookup {
  return async (name, namespace) => {
    const service = (await get(`/api/v1/namespaces/${namespace}/services/${name}`)) as {
      spec?: { clusterIP?: string };
    } | null;
    if (service === null) return null;
    const { clusterIP = "None" } = service.spec ?? {};
    if (clusterIP !== "None") return [clusterIP];
    const slices = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
    const found = (await get(`${slices}?labelSelector=kubernetes.io/service-name=${name}`)) as {
      items: { endpoints?: { addresses: string[]; conditions?: { ready?: boolean } }[] | null }[];
    } | null;
    return (found?.items ?? [])
      .flatMap(({ endpoints }) => endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready !== false)
      .flatMap(({ addresses }) => addresses);
  };
}

const tailOf = async (path: string) => (await readFile(path, "utf8")).slice(-3000);
