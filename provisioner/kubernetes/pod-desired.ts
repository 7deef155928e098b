// Whether Kubernetes still wants a pod of a StatefulSet. Pure: everything it knows is in its arguments; any doubt is a doubt.
import * as z from "zod";
import type { LookupResult } from "./cluster.ts";

const metadata = z.looseObject({
  name: z.string().min(1),
  deletionTimestamp: z.string().nullish(),
  finalizers: z.array(z.string()).nullish(),
});

const container = z.looseObject({
  env: z.array(z.looseObject({ name: z.string(), value: z.string().nullish() })).nullish(),
});
const podTemplate = z.looseObject({
  spec: z.looseObject({ initContainers: z.array(container).nullish(), containers: z.array(container).nullish() }),
});
const statefulSet = z.looseObject({
  metadata,
  spec: z.looseObject({
    template: podTemplate.nullish(),
    replicas: z.int().min(0),
    /** Since Kubernetes 1.27 the first pod may have another number than 0. */
    ordinals: z.looseObject({ start: z.int().min(0).nullish() }).nullish(),
  }),
});
/** A list that goes on says where: we never ask for a part. */
const whole = z.looseObject({ continue: z.literal("").nullish() }).nullish();
const statefulSetList = z.looseObject({
  kind: z.literal("StatefulSetList"),
  metadata: whole,
  items: z.array(statefulSet),
});
const podList = z.looseObject({
  kind: z.literal("PodList"),
  metadata: whole,
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

/** What the API server itself says of an object that does not exist; any other 404 may come from something in between. */
const notFound = z.looseObject({
  kind: z.literal("Status"),
  reason: z.literal("NotFound"),
  details: z.looseObject({ kind: z.literal("statefulsets"), name: z.string() }),
});

/** `no` is clear; `doubt` is everything that is not. `why` is a sentence's end. */
export type PodDesired = { wanted: "yes" | "no" | "doubt"; why: string };

const unknown = (why: string): PodDesired => ({ wanted: "doubt", why });

/** The name of the StatefulSet that controls a pod, or why that cannot be said. */
export function ownerOf(podName: string, look: LookupResult): { name: string } | { why: string } {
  if (look.kind === "unknown") return { why: look.why };
  const read = pod.safeParse(look.body);
  if (look.kind === "missing" || !read.success) return { why: `the cluster shows no pod ${podName}` };
  const { name, ownerReferences } = read.data.metadata;
  // Others make a kind of that name too (OpenKruise): Kubernetes' own list does not have theirs, which says nothing.
  const owner = ownerReferences?.find(
    (reference) =>
      reference.controller === true && reference.kind === "StatefulSet" && reference.apiVersion.startsWith("apps/"),
  );
  if (name !== podName || owner === undefined) return { why: `the pod ${podName} belongs to no StatefulSet` };
  if (ordinalOf(podName, owner.name) === null) return { why: `the pod ${podName} has no number after ${owner.name}` };
  return { name: owner.name };
}

/** Whether the StatefulSet, as one look shows it, still wants the pod. */
export function desiredBy(setName: string, podName: string, look: LookupResult): PodDesired {
  if (look.kind === "unknown") return unknown(look.why);
  if (look.kind === "missing") {
    const status = notFound.safeParse(look.body);
    if (!status.success || status.data.details.name !== setName) return unknown("a 404 that is not the cluster's own");
    return { wanted: "no", why: `the StatefulSet ${setName} is gone` };
  }
  const read = statefulSet.safeParse(look.body);
  if (!read.success || read.data.metadata.name !== setName) return unknown(`the StatefulSet ${setName} cannot be read`);
  const { deletionTimestamp, finalizers } = read.data.metadata;
  if (deletionTimestamp && finalizers?.includes("orphan"))
    return unknown(`the StatefulSet ${setName} is being deleted without its pods`);
  if (deletionTimestamp) return { wanted: "no", why: `the StatefulSet ${setName} is being deleted` };
  return inRange(read.data, podName);
}

function inRange(set: z.infer<typeof statefulSet>, podName: string): PodDesired {
  const { name } = set.metadata;
  const ordinal = ordinalOf(podName, name);
  if (ordinal === null) return unknown(`the pod ${podName} has no number after ${name}`);
  const { replicas, ordinals } = set.spec;
  const start = ordinals?.start ?? 0;
  const why = `the StatefulSet ${name} wants ${replicas} pods${start === 0 ? "" : ` from number ${start} on`}`;
  return { wanted: ordinal >= start && ordinal < start + replicas ? "yes" : "no", why };
}

function ordinalOf(podName: string, setName: string): number | null {
  if (!podName.startsWith(`${setName}-`)) return null;
  const digits = podName.slice(setName.length + 1);
  return /^(0|[1-9]\d{0,9})$/.test(digits) ? Number(digits) : null;
}

/** What the lists of a namespace tell. */
export interface Namespace {
  /** Whether a pod exists or a StatefulSet wants it. */
  isWanted(podName: string): boolean;
  /** The `VAST_LABEL` that a StatefulSet gives its pods by itself, null when it gives none, undefined when it does not exist. */
  labelOf(setName: string): string | null | undefined;
}

/** Reads the lists of a namespace; or answers why nothing can be said. */
export function readNamespace(sets: LookupResult, pods: LookupResult): Namespace | { why: string } {
  if (sets.kind !== "found") return { why: sets.kind === "unknown" ? sets.why : "the cluster has no StatefulSets" };
  if (pods.kind !== "found") return { why: pods.kind === "unknown" ? pods.why : "the cluster has no pods" };
  const setsRead = statefulSetList.safeParse(sets.body);
  const podsRead = podList.safeParse(pods.body);
  if (!setsRead.success) return { why: "the list of StatefulSets cannot be read" };
  if (!podsRead.success) return { why: "the list of pods cannot be read" };
  // The asker is a pod itself, and nobody reaps for a namespace without a StatefulSet: an empty list is a wrong one.
  if (setsRead.data.items.length === 0) return { why: "the list of StatefulSets is empty" };
  if (podsRead.data.items.length === 0) return { why: "the list of pods is empty" };
  const existing = new Set(podsRead.data.items.map((item) => item.metadata.name));
  return {
    labelOf: (setName) => {
      const set = setsRead.data.items.find((one) => one.metadata.name === setName);
      return set && givenLabel(set);
    },
    isWanted: (podName) =>
      existing.has(podName) || setsRead.data.items.some((set) => inRange(set, podName).wanted === "yes"),
  };
}

function givenLabel({ spec: { template } }: z.infer<typeof statefulSet>): string | null {
  const containers = [...(template?.spec.initContainers ?? []), ...(template?.spec.containers ?? [])];
  return containers.flatMap(({ env }) => env ?? []).find(({ name }) => name === "VAST_LABEL")?.value ?? null;
}
