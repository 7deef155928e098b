import { describe, expect, test } from "vitest";
import type { Cluster, LookupResult } from "../../../../provisioner/kubernetes/cluster.ts";
import {
  destroyUnlessDesired,
  type TerminateParts,
  terminateWarning,
} from "../../../../provisioner/teardown/on-terminate.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { fakeLog } from "../fakes.ts";
import { NOW } from "../plan/situation.ts";

const pod: LookupResult = {
  kind: "found",
  body: {
    metadata: {
      name: "vast-pod-1",
      ownerReferences: [{ apiVersion: "apps/v1", kind: "StatefulSet", name: "vast-pod", controller: true }],
    },
  },
};
const set = (replicas: number): LookupResult => ({
  kind: "found",
  body: { metadata: { name: "vast-pod" }, spec: { replicas } },
});
const namespaceObject = (metadata: object): LookupResult => ({
  kind: "found",
  body: { kind: "Namespace", metadata: { name: "models", ...metadata } },
});
const silent: LookupResult = { kind: "unknown", why: "no answer in time" };

/** A cluster that answers lookups of the StatefulSet with `results` in their order, and repeats the last one. */
function clusterWith(results: readonly LookupResult[], ownPod = pod, namespace: LookupResult = silent): Cluster {
  let lookups = 0;
  return {
    namespace: "models",
    list: async () => silent,
    post: async () => silent,
    patch: async () => silent,
    get: async (path) => {
      if (path.endsWith("/pods/vast-pod-1")) return ownPod;
      if (path === "/api/v1/namespaces/models") return namespace;
      lookups += 1;
      return results[Math.min(lookups, results.length) - 1] ?? silent;
    },
  };
}

const TERMINATE_MS = 100_000;
const DONE = { done: true, problem: null, gone: [1], left: [] };

async function stop(over: Partial<TerminateParts> = {}) {
  const steps: string[] = [];
  const { log, lines } = fakeLog();
  const clock = fakeClock(NOW);
  const outcome = await clock.drive(
    destroyUnlessDesired({
      onTerminate: "scale-down",
      policy: "sync",
      podName: "vast-pod-1",
      clock,
      log,
      openCluster: () => clusterWith([set(1)]),
      timeLeftMs: () => NOW + TERMINATE_MS - clock.monotonic(),
      withdraw: async () => void steps.push("withdraw"),
      destroy: async () => {
        steps.push("destroy");
        return DONE;
      },
      ...over,
    }),
  );
  return { outcome, steps, logged: lines.map((line) => String(line.msg)).join("\n"), ms: clock.now() - NOW };
}

describe("at a stop with scale-down", () => {
  test("the instance of a pod that is no longer wanted is withdrawn first and then destroyed", async () => {
    const { outcome, steps, logged } = await stop();
    expect(outcome).toEqual(DONE);
    expect(steps).toEqual(["withdraw", "destroy"]);
    expect(logged).toContain("the StatefulSet vast-pod wants 1 pods");
  });

  test.each<[string, LookupResult, boolean]>([
    ["is being deleted", namespaceObject({ deletionTimestamp: "2026-11-28T12:00:00Z" }), true],
    ["goes on", namespaceObject({}), false],
    ["is another one", namespaceObject({ name: "other", deletionTimestamp: "2026-11-28T12:00:00Z" }), false],
    ["may not be read", { kind: "unknown", why: "answered 403" }, false],
    ["is missing", { kind: "missing", body: {} }, false],
    ["is a page of something else", { kind: "found", body: "<html>" }, false],
  ])("of a StatefulSet that wants the pod, when the namespace %s", async (_, namespace, ends) => {
    const { outcome, logged } = await stop({ openCluster: () => clusterWith([set(2)], pod, namespace) });
    expect(outcome).toEqual(ends ? DONE : null);
    expect(logged).toContain(ends ? "the namespace models is being deleted" : "wants 2 pods");
  });

  test("the instance of a pod that is wanted is kept", async () => {
    const { outcome, steps, logged } = await stop({ openCluster: () => clusterWith([set(2)]) });
    expect([outcome, steps]).toEqual([null, []]);
    expect(logged).toContain("kept because the StatefulSet vast-pod wants 2 pods");
  });

  test.each<[string, () => Cluster]>([
    ["the StatefulSet is unknown", () => clusterWith([silent])],
    ["the own pod is unknown", () => clusterWith([set(1)], silent)],
    [
      "the own pod belongs to no StatefulSet",
      () => clusterWith([set(1)], { kind: "found", body: { metadata: { name: "vast-pod-1" } } }),
    ],
    [
      "there is no cluster",
      () => {
        throw new Error("KUBERNETES_SERVICE_HOST is not set");
      },
    ],
  ])("the instance is kept when %s, and the log says why", async (_, openCluster) => {
    const { outcome, steps, logged } = await stop({ openCluster });
    expect([outcome, steps]).toEqual([null, []]);
    expect(logged).toContain("kept because the cluster gives no clear answer");
  });

  test.each([
    ["without an answer", silent],
    ["with a page", { kind: "missing", body: "<html>" } as const],
  ])("a cluster that was asked 20 times %s is asked again, and its answer decides", async (_, unclear) => {
    const answers = [...Array.from({ length: 20 }, () => unclear), set(1)];
    const { outcome, ms } = await stop({ openCluster: () => clusterWith(answers) });
    expect(outcome).toEqual(DONE);
    expect(ms).toBe(40_000);
  });

  test("a cluster that gives no clear answer is asked until the time is over", async () => {
    expect((await stop({ openCluster: () => clusterWith([silent]) })).ms).toBe(TERMINATE_MS - 2000);
  });

  test("a pod that no StatefulSet owns is not asked about again", async () => {
    const alone: LookupResult = { kind: "found", body: { metadata: { name: "vast-pod-1" } } };
    expect((await stop({ openCluster: () => clusterWith([set(1)], alone) })).ms).toBe(0);
  });

  test.each(["no-destroy", "observe"] as const)("VAST_POLICY=%s keeps the instance all the same", async (policy) => {
    const { outcome, steps, logged } = await stop({ policy });
    expect([outcome, steps]).toEqual([null, []]);
    expect(logged).toContain(`VAST_POLICY=${policy}`);
  });

  test("an nginx that cannot be told does not keep the instance billed", async () => {
    const withdraw = async () => {
      throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
    };
    const { outcome, steps, logged } = await stop({ withdraw });
    expect([outcome, steps]).toEqual([DONE, ["destroy"]]);
    expect(logged).toMatch(/nginx could not be told .*ENOSPC/);
  });
});

test("at a stop with keep the cluster is not asked and nothing is done", async () => {
  const openCluster = () => {
    throw new Error("asked");
  };
  expect(await stop({ onTerminate: "keep", openCluster })).toMatchObject({
    outcome: null,
    steps: [],
    logged: "",
  });
});

test("at a stop with destroy the instance is destroyed without asking the cluster", async () => {
  const openCluster = () => {
    throw new Error("asked");
  };
  expect(await stop({ onTerminate: "destroy", openCluster })).toMatchObject({
    outcome: DONE,
    steps: ["withdraw", "destroy"],
  });
});

describe("the start warns", () => {
  const none = () => {
    throw new Error("KUBERNETES_SERVICE_HOST is not set");
  };
  test("of destroy in Kubernetes, where every restart would destroy the instance", () => {
    expect(terminateWarning("destroy", true, none)).toMatch(/every restart/);
    expect(terminateWarning("destroy", false, none)).toBeNull();
  });
  test("of scale-down without a cluster", () => {
    expect(terminateWarning("scale-down", false, none)).toMatch(/always kept: KUBERNETES_SERVICE_HOST/);
    expect(terminateWarning("scale-down", true, () => clusterWith([]))).toBeNull();
  });
  test("of nothing with keep", () => {
    expect(terminateWarning("keep", true, none)).toBeNull();
  });
});
