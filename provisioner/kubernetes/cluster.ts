// Sends requests to the Kubernetes API of the cluster that this pod runs in. Touches the service account's files and the network.
// A few kinds of requests are enough: the official client library would add 3.6 MB to a bundle of 1 MB and 0.3 s to each start (measured).
import { Agent } from "node:https";
import { join } from "node:path";
import * as z from "zod";
import { type Clock, withDeadline } from "../../common/clock.ts";
import { codeOf } from "../../common/errors.ts";
import { createHttpClient } from "../../common/http.ts";

/** The result of one request. `missing` is the API's 404; every other failure is `unknown`. */
export type LookupResult =
  | { kind: "found"; body: unknown }
  | { kind: "missing"; body: unknown }
  | { kind: "unknown"; why: string };

export interface Cluster {
  readonly namespace: string;
  /** Gets one object; `path` begins with /api or /apis. Never rejects. */
  get(path: string, signal?: AbortSignal): Promise<LookupResult>;
  /** Creates one object, or asks a question that Kubernetes answers in this form. Never rejects. */
  post(path: string, body: unknown, signal?: AbortSignal): Promise<LookupResult>;
  /** Changes parts of one object, as in a JSON merge patch: what is null is removed. Never rejects. */
  patch(path: string, body: unknown, signal?: AbortSignal): Promise<LookupResult>;
  /**
   * Gets a whole list page by page, as one object with all `items`. `metadata`: only the metadata of each, which for pods is a
   * tenth. Never rejects.
   */
  list(path: string, parts: "objects" | "metadata"): Promise<LookupResult>;
}

/** Where Kubernetes mounts token, ca.crt and namespace of the service account. */
const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

export interface ClusterAccess {
  env: Readonly<Record<string, string | undefined>>;
  readFile(path: string): string;
  clock: Clock;
  folder?: string;
}

// The API server answers such a GET within about 10 ms. A terminating pod has two minutes for everything.
const LOOKUP_DEADLINE_MS = 5000;
// Pages of this many objects: 20 to 50 KB for each StatefulSet or pod, 5 KB for its metadata.
const PAGE_SIZE = 100;
const MAX_BODY_BYTES = 16 * 1024 * 1024;
const WHOLE = "application/json";
const MERGE_PATCH = { "Content-Type": "application/merge-patch+json" } as const;
const METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

const listPage = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ continue: z.string().nullish() }),
  items: z.array(z.looseObject({ metadata: z.looseObject({ name: z.string() }) })),
});

const REMEDIES: Readonly<Record<number, string>> = {
  401: ": the token of the service account is not valid; if the account was deleted, delete the StatefulSet before it next time",
  403: ": give the service account the Role of the component",
};

/** Throws an error whose message names the remedy when this is not a pod, or a pod without a token. */
export function openCluster({ env, readFile, clock, folder = SERVICE_ACCOUNT }: ClusterAccess): Cluster {
  const host = env.KUBERNETES_SERVICE_HOST;
  if (!host) throw new Error("KUBERNETES_SERVICE_HOST is not set: this works only in a pod of a Kubernetes cluster");
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
  const client = createHttpClient({
    baseURL: base,
    httpsAgent: new Agent({ ca: read("ca.crt") }),
    proxy: false, // the API server is inside the cluster
    maxContentLength: MAX_BODY_BYTES,
  });
  const send = (method: "GET" | "POST" | "PATCH", path: string, accept: string, signal?: AbortSignal, body?: unknown) =>
    withDeadline(clock, LOOKUP_DEADLINE_MS, signal, async (deadline): Promise<LookupResult> => {
      try {
        // Read again for each request: the kubelet replaces the token before it expires.
        const headers = {
          Authorization: `Bearer ${read("token").trim()}`,
          Accept: accept,
          ...(method === "PATCH" ? MERGE_PATCH : {}),
        };
        const { status, data } = await client.request<unknown>({
          method,
          url: path,
          headers,
          data: body,
          signal: deadline,
        });
        if (status === 200 || status === 201) return { kind: "found", body: data };
        if (status === 404) return { kind: "missing", body: data };
        return { kind: "unknown", why: `${method} ${path} answered ${status}${REMEDIES[status] ?? ""}` };
      } catch (error) {
        // Only the code of the failure: the error itself holds the token in its request headers.
        const why = deadline.aborted ? "no answer in time" : (codeOf(error) ?? "failed");
        return { kind: "unknown", why: `${method} ${path}: ${why}` };
      }
    });
  return {
    namespace,
    get: (path, signal) => send("GET", path, WHOLE, signal),
    post: (path, body, signal) => send("POST", path, WHOLE, signal, body),
    patch: (path, body, signal) => send("PATCH", path, WHOLE, signal, body),
    async list(path, parts) {
      const items: unknown[] = [];
      for (let next = ""; ; ) {
        const from = next === "" ? "" : `&continue=${encodeURIComponent(next)}`;
        const found = await send(
          "GET",
          `${path}?limit=${PAGE_SIZE}${from}`,
          parts === "metadata" ? METADATA_ONLY : WHOLE,
        );
        if (found.kind !== "found") return found;
        const page = listPage.safeParse(found.body);
        if (!page.success) return { kind: "unknown", why: `GET ${path}: the answer is no list` };
        for (const { metadata, ...rest } of page.data.items)
          items.push(parts === "metadata" ? { metadata: { name: metadata.name } } : { metadata, ...rest });
        next = page.data.metadata.continue ?? "";
        if (next === "") return { kind: "found", body: { kind: page.data.kind, items } };
      }
    },
  };
}
