// Asks the Kubernetes API of the cluster that this pod runs in. Touches the service account's files and the network.
// Two kinds of GET are all that is needed: the official client library would add 3.6 MB to a bundle of 1 MB and 0.3 s to
// each start (measured).
import { Agent } from "node:https";
import { join } from "node:path";
import axios from "axios";
import { type Clock, withDeadline } from "../../common/clock.ts";

/** What an answer tells: unknown is never missing. */
export type LookupResult =
  | { kind: "found"; body: unknown }
  | { kind: "missing"; body: unknown }
  | { kind: "unknown"; why: string };

export interface Cluster {
  readonly namespace: string;
  /** Asks for one object or list; `path` begins with /api or /apis. Never rejects. */
  get(path: string, signal?: AbortSignal): Promise<LookupResult>;
}

/** Where Kubernetes puts what a pod needs to ask: token, ca.crt, namespace. */
const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

export interface ClusterAccess {
  env: Readonly<Record<string, string | undefined>>;
  readFile(path: string): string;
  clock: Clock;
  folder?: string;
}

// The API server answers such a GET within some 10 ms; a pod that ends has two minutes for everything.
const DEADLINE_MS = 5000;
// A list of a few thousand pods.
const LARGEST_ANSWER_BYTES = 64 * 1024 * 1024;

/** Throws a sentence with the remedy where this is no pod, or one without a token. */
export function openCluster({ env, readFile, clock, folder = SERVICE_ACCOUNT }: ClusterAccess): Cluster {
  const host = env.KUBERNETES_SERVICE_HOST;
  if (!host) throw new Error("KUBERNETES_SERVICE_HOST is not set: this works in a pod of a Kubernetes cluster only");
  const read = (name: string) => {
    try {
      return readFile(join(folder, name));
    } catch {
      throw new Error(
        `${join(folder, name)} cannot be read: mount a service account's token, ca.crt and namespace there`,
      );
    }
  };
  const base = `https://${host.includes(":") ? `[${host}]` : host}:${env.KUBERNETES_SERVICE_PORT || "443"}`;
  const namespace = read("namespace").trim();
  read("token");
  const client = axios.create({
    baseURL: base,
    httpsAgent: new Agent({ ca: read("ca.crt") }),
    proxy: false, // the API server is in the cluster
    maxRedirects: 0, // the token is for this server alone
    maxContentLength: LARGEST_ANSWER_BYTES,
    validateStatus: () => true,
  });
  return {
    namespace,
    get: (path, signal) =>
      withDeadline(clock, DEADLINE_MS, signal, async (deadline) => {
        try {
          // Read anew each time: the kubelet replaces the token before it expires.
          const headers = { Authorization: `Bearer ${read("token").trim()}`, Accept: "application/json" };
          const { status, data } = await client.get<unknown>(path, { headers, signal: deadline });
          if (status === 200) return { kind: "found", body: data };
          if (status === 404) return { kind: "missing", body: data };
          const remedy = status === 401 || status === 403 ? ": give the service account the Role of the component" : "";
          return { kind: "unknown", why: `GET ${path} answered ${status}${remedy}` };
        } catch (error) {
          // An axios error holds the token in its headers: only the code of the failure leaves.
          const code = error instanceof Error && "code" in error ? String(error.code) : "failed";
          return { kind: "unknown", why: `GET ${path}: ${deadline.aborted ? "no answer in time" : code}` };
        }
      }),
  };
}
