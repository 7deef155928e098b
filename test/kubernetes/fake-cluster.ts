// A stateful fake of the parts of the Kubernetes API that the provisioner uses, over HTTPS with a token and its own CA, as in a
// pod. Touches a port of loopback.
import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import { AUTHORITY, SERVER } from "./certificates.ts";

export interface FakeStatefulSet {
  name: string;
  replicas: number;
  start?: number;
  deleting?: boolean;
  /** The environment of its pods' provisioner, as in the manifest. */
  env?: readonly { name: string; value: string }[];
}

/** The answer to every call until it is reset. */
export type Trouble = { status: number; body?: string } | "hang" | "cut";

export interface FakeCluster {
  readonly port: number;
  /** The files that the kubelet would mount: name to content. */
  readonly serviceAccount: Readonly<Record<"token" | "ca.crt" | "namespace", string>>;
  readonly statefulSets: Map<string, FakeStatefulSet>;
  /** Pod name to the name of its StatefulSet, or null for a pod without an owner. */
  readonly pods: Map<string, string | null>;
  trouble: Trouble | null;
  /** The namespace is being deleted. */
  namespaceDeleted: boolean;
  /** Resources that the service account may not read, by its own question. */
  readonly denied: Set<string>;
  /** Called with each requested path before it is answered. */
  onAsk(path: string): void;
  /** The Events that were written, by name. */
  readonly events: Map<string, Record<string, unknown>>;
  /** Pod name to its annotations. */
  readonly annotations: Map<string, Record<string, string>>;
  /** Requested paths, in order. */
  readonly asked: string[];
  close(): Promise<void>;
}

const TOKEN = "token-of-the-service-account";
const NAMESPACE = "models";
const EVENTS = `/api/v1/namespaces/${NAMESPACE}/events`;
const REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
// Less than anybody asks for, so that every list of some objects has several pages.
const MOST_ITEMS = 2;

export async function startFakeCluster(): Promise<FakeCluster> {
  const statefulSets = new Map<string, FakeStatefulSet>();
  const pods = new Map<string, string | null>();
  const asked: string[] = [];
  const events: FakeCluster["events"] = new Map();
  const annotations: FakeCluster["annotations"] = new Map();
  const server = createServer(SERVER, (request, response) => {
    const path = request.url ?? "";
    asked.push(path);
    cluster.onAsk(path);
    const send = (status: number, body: unknown) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    };
    if (cluster.trouble === "hang") return;
    if (cluster.trouble === "cut") return void request.socket.destroy();
    if (cluster.trouble !== null) return send(cluster.trouble.status, cluster.trouble.body ?? "");
    if (request.headers.authorization !== `Bearer ${TOKEN}`) return send(401, failure(401, "Unauthorized"));
    if (request.method === "POST" && path === REVIEWS)
      return void readBody(request).then((body) => send(201, accessReview(body, cluster.denied)));
    if (request.method === "POST" && path === EVENTS)
      return void readBody(request).then((text) => send(...createEvent(text, events)));
    if (request.method === "PATCH")
      return void readBody(request).then((text) => {
        if (request.headers["content-type"] !== "application/merge-patch+json") return send(415, failure(415, "Type"));
        const name = path.split("/").at(-1) ?? "";
        if (path === `${EVENTS}/${name}`) return send(...patchEvent(name, text, events));
        const known = path === `/api/v1/namespaces/${NAMESPACE}/pods/${name}` && pods.has(name);
        send(...(known ? patchPod(name, text, annotations) : ([404, failure(404, "NotFound")] as const)));
      });
    if (request.method !== "GET") return send(403, failure(403, "Forbidden"));
    if (path === `/api/v1/namespaces/${NAMESPACE}`) return send(200, namespaceObject(cluster.namespaceDeleted));
    const [file = "", query = ""] = path.split("?");
    const [status, body] = answer(file, statefulSets, pods);
    send(status, status === 200 ? pageOf(body, new URLSearchParams(query), request.headers.accept ?? "") : body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const cluster: FakeCluster = {
    port: typeof address === "object" && address !== null ? address.port : 0,
    serviceAccount: { token: `${TOKEN}\n`, "ca.crt": AUTHORITY, namespace: NAMESPACE },
    statefulSets,
    pods,
    trouble: null,
    namespaceDeleted: false,
    denied: new Set(),
    events,
    annotations,
    onAsk: () => undefined,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return cluster;
}

function answer(
  path: string,
  sets: ReadonlyMap<string, FakeStatefulSet>,
  pods: ReadonlyMap<string, string | null>,
): [number, object] {
  const setsPath = `/apis/apps/v1/namespaces/${NAMESPACE}/statefulsets`;
  const podsPath = `/api/v1/namespaces/${NAMESPACE}/pods`;
  if (path === setsPath)
    return [200, { kind: "StatefulSetList", apiVersion: "apps/v1", items: [...sets.values()].map(setObject) }];
  if (path === podsPath)
    return [
      200,
      { kind: "PodList", apiVersion: "v1", items: [...pods].map(([name, owner]) => podObject(name, owner)) },
    ];
  const name = path.split("/").at(-1) ?? "";
  if (path === `${setsPath}/${name}`) {
    const set = sets.get(name);
    return set === undefined ? [404, failure(404, "NotFound", "statefulsets", name)] : [200, setObject(set)];
  }
  if (path === `${podsPath}/${name}`) {
    const owner = pods.get(name);
    return owner === undefined ? [404, failure(404, "NotFound", "pods", name)] : [200, podObject(name, owner)];
  }
  return [403, failure(403, "Forbidden")];
}

type Answer = readonly [number, object];

function createEvent(text: string, events: FakeCluster["events"]): Answer {
  const event = JSON.parse(text) as Record<string, unknown> & { metadata: { name: string } };
  if (events.has(event.metadata.name)) return [409, failure(409, "AlreadyExists")];
  events.set(event.metadata.name, event);
  return [201, event];
}

function patchEvent(name: string, text: string, events: FakeCluster["events"]): Answer {
  const before = events.get(name);
  if (before === undefined) return [404, failure(404, "NotFound", "events", name)];
  const event = { ...before, ...(JSON.parse(text) as object) };
  events.set(name, event);
  return [200, event];
}

function patchPod(name: string, text: string, annotations: FakeCluster["annotations"]): Answer {
  const { metadata } = JSON.parse(text) as { metadata: { annotations: Record<string, string | null> } };
  const merged = Object.entries({ ...annotations.get(name), ...metadata.annotations });
  annotations.set(name, Object.fromEntries(merged.flatMap(([key, value]) => (value === null ? [] : [[key, value]]))));
  return [200, podObject(name, null)];
}

/** As the API server does: a part of a list with a token for the rest, and metadata only for whoever asks for it. */
function pageOf(body: object, query: URLSearchParams, accept: string): object {
  if (!("items" in body) || !Array.isArray(body.items)) return body;
  const from = Number(query.get("continue") ?? 0);
  const to = from + Math.min(Number(query.get("limit") ?? body.items.length), MOST_ITEMS);
  const items: { metadata: object }[] = body.items.slice(from, to);
  const metadata = to < body.items.length ? { continue: String(to) } : {};
  if (!accept.includes("as=PartialObjectMetadataList")) return { ...body, metadata, items };
  return { kind: "PartialObjectMetadataList", metadata, items: items.map((one) => ({ metadata: one.metadata })) };
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}

/** The question with its answer, as the API server returns it. */
function accessReview(question: string, denied: ReadonlySet<string>): object {
  const review = JSON.parse(question) as { spec: { resourceAttributes: { resource: string } } };
  return { ...review, status: { allowed: !denied.has(review.spec.resourceAttributes.resource) } };
}

function setObject({ name, replicas, start, deleting, env }: FakeStatefulSet): object {
  return {
    kind: "StatefulSet",
    apiVersion: "apps/v1",
    metadata: { name, namespace: NAMESPACE, ...(deleting ? { deletionTimestamp: "2026-11-23T15:00:00Z" } : {}) },
    spec: {
      replicas,
      serviceName: name,
      template: {
        spec: { initContainers: [{ name: "provisioner", env: env ?? [] }], containers: [{ name: "nginx" }] },
      },
      ...(start === undefined ? {} : { ordinals: { start } }),
    },
    status: { replicas },
  };
}

function podObject(name: string, owner: string | null): object {
  const reference = { apiVersion: "apps/v1", kind: "StatefulSet", name: owner, uid: "a-uid", controller: true };
  return {
    kind: "Pod",
    apiVersion: "v1",
    metadata: {
      name,
      namespace: NAMESPACE,
      uid: `uid of ${name}`,
      ...(owner === null ? {} : { ownerReferences: [reference] }),
    },
  };
}

function namespaceObject(deleted: boolean): object {
  const end = deleted ? { deletionTimestamp: "2026-11-23T15:00:00Z" } : {};
  return { kind: "Namespace", apiVersion: "v1", metadata: { name: NAMESPACE, ...end } };
}

function failure(code: number, reason: string, kind?: string, name?: string): object {
  const details = kind === undefined ? {} : { details: { kind, name } };
  return { kind: "Status", apiVersion: "v1", status: "Failure", reason, code, ...details };
}
