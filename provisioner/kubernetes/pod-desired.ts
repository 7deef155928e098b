// Decides whether Kubernetes still wants a pod of a StatefulSet. Pure. An answer that is not clear is `unknown`.
import * as z from "zod";
import type { LookupResult } from "./cluster.ts";
import { type LabelSource, labelSourceIn, podTemplate } from "./label-source.ts";

const metadata = z.looseObject({
  name: z.string().min(1),
  deletionTimestamp: z.string().nullish(),
  finalizers: z.array(z.string()).nullish(),
});

const statefulSet = z.looseObject({
  metadata,
  spec: z.looseObject({
    template: podTemplate.nullish(),
    replicas: z.int().min(0),
    /** Since Kubernetes 1.27 the first pod may have another ordinal than 0. */
    ordinals: z.looseObject({ start: z.int().min(0).nullish() }).nullish(),
  }),
});
/** A list with a `continue` token is only a part. */
const completeList = z.looseObject({ continue: z.literal("").nullish() }).nullish();
const statefulSetList = z.looseObject({
  kind: z.literal("StatefulSetList"),
  metadata: completeList,
  items: z.array(statefulSet),
});
const podList = z.looseObject({
  // A server that does not know the short form answers whole pods.
  kind: z.enum(["PartialObjectMetadataList", "PodList"]),
  metadata: completeList,
  items: z.array(z.looseObject({ metadata })),
});

const pod = z.looseObject({
  metadata: metadata.extend({
    ownerReferences: z
      .array(
        z.looseObject({
          apiVersion: z.string(),
          kind: z.string(),
          name: z.string(),
          controller: z.boolean().nullish(),
        }),
      )
      .nullish(),
  }),
});

const namespaceObject = z.looseObject({ kind: z.literal("Namespace"), metadata });

/** The API server's own answer for an object that does not exist. Any other 404 may come from a proxy in between. */
const notFound = z.looseObject({
  kind: z.literal("Status"),
  reason: z.literal("NotFound"),
  details: z.looseObject({ kind: z.literal("statefulsets"), name: z.string() }),
});

/**
 * `no` is unambiguous; everything that is not clear is `unknown`. `why` can end a sentence. `final`: asking again would not change
 * the answer; false only for an `unknown` that comes from a failed lookup.
 */
export type PodDesired = { desired: "yes" | "no" | "unknown"; why: string; final: boolean };

const unknown = (why: string, final = false): PodDesired => ({ desired: "unknown", why, final });

/** The name of the StatefulSet that controls a pod, or why there is no answer. */
export function ownerOf(podName: string, lookup: LookupResult): { name: string } | { why: string; final: boolean } {
  if (lookup.kind === "unknown") return { why: lookup.why, final: false };
  const read = pod.safeParse(lookup.body);
  if (lookup.kind === "missing" || !read.success) return { why: `the cluster shows no pod ${podName}`, final: false };
  const { name, ownerReferences } = read.data.metadata;
  // Other API groups have a kind of this name too (OpenKruise). Their sets are missing from Kubernetes' own list, which proves nothing.
  const owner = ownerReferences?.find(
    (reference) =>
      reference.controller === true && reference.kind === "StatefulSet" && reference.apiVersion.startsWith("apps/"),
  );
  const none = (why: string) => ({ why, final: true });
  if (name !== podName || owner === undefined) return none(`the pod ${podName} belongs to no StatefulSet`);
  if (ordinalOf(podName, owner.name) === null) return none(`the pod ${podName} has no number after ${owner.name}`);
  return { name: owner.name };
}

/** Whether the StatefulSet of this lookup still wants the pod. */
export function desiredBy(setName: string, podName: string, lookup: LookupResult): PodDesired {
  if (lookup.kind === "unknown") return unknown(lookup.why);
  if (lookup.kind === "missing") {
    const status = notFound.safeParse(lookup.body);
    if (!status.success || status.data.details.name !== setName)
      return unknown("a 404 that does not come from the Kubernetes API");
    return { desired: "no", why: `the StatefulSet ${setName} does not exist any more`, final: true };
  }
  const read = statefulSet.safeParse(lookup.body);
  if (!read.success || read.data.metadata.name !== setName) return unknown(`the StatefulSet ${setName} cannot be read`);
  const { deletionTimestamp, finalizers } = read.data.metadata;
  if (deletionTimestamp && finalizers?.includes("orphan"))
    return unknown(`the StatefulSet ${setName} is being deleted without its pods`, true);
  if (deletionTimestamp) return { desired: "no", why: `the StatefulSet ${setName} is being deleted`, final: true };
  return desiredByOrdinal(read.data, podName);
}

/** Whether the namespace is being deleted, which ends all pods in it although their StatefulSets still want them. */
export function isNamespaceDeleted(namespace: string, lookup: LookupResult): boolean {
  const read = lookup.kind === "found" ? namespaceObject.safeParse(lookup.body) : null;
  return read?.success === true && read.data.metadata.name === namespace && !!read.data.metadata.deletionTimestamp;
}

function desiredByOrdinal(set: z.infer<typeof statefulSet>, podName: string): PodDesired {
  const { name } = set.metadata;
  const ordinal = ordinalOf(podName, name);
  if (ordinal === null) return unknown(`the pod ${podName} has no number after ${name}`, true);
  const { replicas, ordinals } = set.spec;
  const start = ordinals?.start ?? 0;
  const why = `the StatefulSet ${name} wants ${replicas} pods${start === 0 ? "" : `, numbered from ${start}`}`;
  return { desired: ordinal >= start && ordinal < start + replicas ? "yes" : "no", why, final: true };
}

function ordinalOf(podName: string, setName: string): number | null {
  if (!podName.startsWith(`${setName}-`)) return null;
  const digits = podName.slice(setName.length + 1);
  return /^(0|[1-9]\d{0,9})$/.test(digits) ? Number(digits) : null;
}

/** What the lists of a namespace show. */
export interface Namespace {
  /** Whether a pod exists or a StatefulSet wants it. */
  isDesired(podName: string): boolean;
  /** Its StatefulSets, and where their pods have their label from. */
  sets: readonly { name: string; label: LabelSource }[];
}

/** Reads the two lists of a namespace, or returns why they prove nothing. */
export function readNamespace(sets: LookupResult, pods: LookupResult): Namespace | { why: string } {
  if (sets.kind !== "found") return { why: sets.kind === "unknown" ? sets.why : "the cluster has no StatefulSets" };
  if (pods.kind !== "found") return { why: pods.kind === "unknown" ? pods.why : "the cluster has no pods" };
  const setsRead = statefulSetList.safeParse(sets.body);
  const podsRead = podList.safeParse(pods.body);
  if (!setsRead.success) return { why: "the list of StatefulSets cannot be read" };
  if (!podsRead.success) return { why: "the list of pods cannot be read" };
  // This program runs in a pod itself, and nobody runs the reaper in a namespace without a StatefulSet: an empty list is wrong.
  if (setsRead.data.items.length === 0) return { why: "the list of StatefulSets is empty" };
  if (podsRead.data.items.length === 0) return { why: "the list of pods is empty" };
  const existing = new Set(podsRead.data.items.map((item) => item.metadata.name));
  return {
    sets: setsRead.data.items.map(({ metadata: { name }, spec }) => ({ name, label: labelSourceIn(spec.template) })),
    isDesired: (podName) =>
      existing.has(podName) || setsRead.data.items.some((set) => desiredByOrdinal(set, podName).desired === "yes"),
  };
}
