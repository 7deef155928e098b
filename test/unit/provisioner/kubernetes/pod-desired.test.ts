import { describe, expect, test } from "vitest";
import type { LookupResult } from "../../../../provisioner/kubernetes/cluster.ts";
import { desiredBy, ownerOf, readNamespace } from "../../../../provisioner/kubernetes/pod-desired.ts";

const found = (body: unknown): LookupResult => ({ kind: "found", body });
const set = (replicas: unknown, more: object = {}, spec: object = {}) => ({
  metadata: { name: "vast-pod", ...more },
  spec: { replicas, ...spec },
});
const notFound = (name: string) => ({
  kind: "Status",
  status: "Failure",
  reason: "NotFound",
  details: { kind: "statefulsets", group: "apps", name },
  code: 404,
});

describe("a pod of a StatefulSet", () => {
  test.each([
    ["is wanted while its number is below the replicas", "vast-pod-2", set(3), "yes"],
    ["is not wanted when its number is not below the replicas", "vast-pod-2", set(2), "no"],
    ["is not wanted when the replicas are 0", "vast-pod-0", set(0), "no"],
    ["is wanted by its number counted from the first one", "vast-pod-5", set(2, {}, { ordinals: { start: 4 } }), "yes"],
    ["is not wanted below the first number", "vast-pod-3", set(2, {}, { ordinals: { start: 4 } }), "no"],
    [
      "is not wanted when the StatefulSet is being deleted",
      "vast-pod-0",
      set(1, { deletionTimestamp: "2026-11-23T15:00:00Z" }),
      "no",
    ],
    [
      "is unknown when the StatefulSet is deleted without its pods",
      "vast-pod-0",
      set(0, { deletionTimestamp: "2026-11-23T15:00:00Z", finalizers: ["orphan"] }),
      "unknown",
    ],
    ["is unknown when the replicas are missing", "vast-pod-0", set(undefined), "unknown"],
    ["is unknown when the replicas are no number", "vast-pod-0", set("3"), "unknown"],
    [
      "is unknown when another object came",
      "vast-pod-0",
      { metadata: { name: "other" }, spec: { replicas: 0 } },
      "unknown",
    ],
    ["is unknown when the answer is a page", "vast-pod-0", "<html>", "unknown"],
    ["is unknown when its name has no number", "vast-pod-x", set(1), "unknown"],
    ["is unknown when its number is written oddly", "vast-pod-00", set(1), "unknown"],
  ])("%s", (_, name, body, desired) => {
    expect(desiredBy("vast-pod", name, found(body)).desired).toBe(desired);
  });

  test("is not wanted when the API server itself says that the StatefulSet does not exist", () => {
    expect(desiredBy("vast-pod", "vast-pod-0", { kind: "missing", body: notFound("vast-pod") }).desired).toBe("no");
  });

  test.each([
    ["a page", "<html>"],
    ["nothing", ""],
    ["another object", notFound("other")],
    ["a bare status", { kind: "Status", reason: "NotFound" }],
  ])("is unknown when a 404 carries %s", (_, body) => {
    expect(desiredBy("vast-pod", "vast-pod-0", { kind: "missing", body }).desired).toBe("unknown");
  });

  test("is unknown when nothing answers", () => {
    expect(desiredBy("vast-pod", "vast-pod-0", { kind: "unknown", why: "no answer in time" })).toEqual({
      desired: "unknown",
      why: "no answer in time",
      final: false, // asking again may help
    });
  });
});

describe("the owner of a pod", () => {
  const apps = { apiVersion: "apps/v1" };
  const pod = (owner: object | null) =>
    found({ metadata: { name: "vast-pod-0", ...(owner === null ? {} : { ownerReferences: [owner] }) } });

  test("is the StatefulSet that controls it", () => {
    expect(ownerOf("vast-pod-0", pod({ ...apps, kind: "StatefulSet", name: "vast-pod", controller: true }))).toEqual({
      name: "vast-pod",
    });
  });

  test.each([
    ["it has none", pod(null)],
    ["something else owns it", pod({ ...apps, kind: "ReplicaSet", name: "vast-pod", controller: true })],
    [
      "a StatefulSet is named that does not control it",
      pod({ ...apps, kind: "StatefulSet", name: "vast-pod", controller: false }),
    ],
    [
      "a StatefulSet of another API group owns it",
      pod({ apiVersion: "apps.kruise.io/v1beta1", kind: "StatefulSet", name: "vast-pod", controller: true }),
    ],
    ["the StatefulSet has another name", pod({ ...apps, kind: "StatefulSet", name: "other", controller: true })],
    ["the pod does not exist", { kind: "missing", body: {} } as const],
    ["nothing answers", { kind: "unknown", why: "ECONNREFUSED" } as const],
  ])("is unknown when %s", (_, lookup) => {
    expect(ownerOf("vast-pod-0", lookup)).toHaveProperty("why");
  });
});

describe("the pods of a namespace", () => {
  const sets = (...items: unknown[]) => found({ kind: "StatefulSetList", items });
  const pods = (...names: string[]) => found({ kind: "PodList", items: names.map((name) => ({ metadata: { name } })) });

  test("are wanted when a StatefulSet wants their number or they exist", () => {
    const namespace = readNamespace(sets(set(2)), pods("reaper-1", "vast-pod-4"));
    if ("why" in namespace) throw new Error(namespace.why);
    const names = ["vast-pod-0", "vast-pod-1", "vast-pod-2", "vast-pod-4", "other-0"];
    expect(names.filter(namespace.isDesired)).toEqual(["vast-pod-0", "vast-pod-1", "vast-pod-4"]);
  });

  test.each([
    ["no StatefulSet is listed", sets(), pods("a")],
    ["no pod is listed", sets(set(1)), pods()],
    ["the StatefulSets are unknown", { kind: "unknown", why: "403" } as const, pods("a")],
    ["the pods are unknown", sets(set(1)), { kind: "unknown", why: "403" } as const],
    ["the StatefulSets are missing", { kind: "missing", body: {} } as const, pods("a")],
    ["a list is of another kind", found({ kind: "PodList", items: [set(1)] }), pods("a")],
    ["one StatefulSet of the list cannot be read", sets(set(1), { metadata: {} }), pods("a")],
    ["a list has no items", sets(set(1)), found({ kind: "PodList" })],
    [
      "the list of StatefulSets is one page of several",
      found({ kind: "StatefulSetList", metadata: { continue: "next" }, items: [set(1)] }),
      pods("a"),
    ],
    [
      "the list of pods is one page of several",
      sets(set(1)),
      found({ kind: "PodList", metadata: { continue: "next" }, items: [{ metadata: { name: "a" } }] }),
    ],
  ])("are unknown when %s", (_, sets, pods) => {
    expect(readNamespace(sets, pods)).toHaveProperty("why");
  });
});
