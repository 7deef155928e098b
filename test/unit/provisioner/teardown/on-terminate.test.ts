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
const silent: LookupResult = { kind: "unknown", why: "no answer in time" };

/** A cluster that answers lookups of the StatefulSet with `results` in their order, and repeats the last one. */
function clusterWith(results: readonly LookupResult[], ownPod = pod): Cluster {
  let lookups = 0;
  return {
    namespace: "models",
    get: async (path) => {
      if (path.endsWith("/pods/vast-pod-1")) return ownPod;
      lookups += 1;
      return results[Math.min(lookups, results.length) - 1] ?? silent;
    },
  };
}

async function stop(over: Partial<TerminateParts> = {}) {
  const steps: string[] = [];
  const { log, lines } = fakeLog();
  const clock = fakeClock(NOW);
  const allDestroyed = await clock.drive(
    destroyUnlessDesired({
      onTerminate: "scale-down",
      policy: "sync",
      podName: "vast-pod-1",
      clock,
      log,
      openCluster: () => clusterWith([set(1)]),
      withdraw: async () => void steps.push("withdraw"),
      createPending: async () => false,
      destroy: async () => {
        steps.push("destroy");
        return { done: true, gone: [1], left: [] };
      },
      ...over,
    }),
  );
  return { allDestroyed, steps, logged: lines.map((line) => String(line.msg)).join("\n"), ms: clock.now() - NOW };
}

describe("at a stop with scale-down", () => {
  test("the instance of a pod that is no longer wanted is withdrawn first and then destroyed", async () => {
    const { allDestroyed, steps, logged } = await stop();
    expect(allDestroyed).toBe(true);
    expect(steps).toEqual(["withdraw", "destroy"]);
    expect(logged).toContain("the StatefulSet vast-pod wants 1 pods");
  });

  test("the instance of a pod that is wanted is kept", async () => {
    const { allDestroyed, steps, logged } = await stop({ openCluster: () => clusterWith([set(2)]) });
    expect([allDestroyed, steps]).toEqual([false, []]);
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
    const { allDestroyed, steps, logged } = await stop({ openCluster });
    expect([allDestroyed, steps]).toEqual([false, []]);
    expect(logged).toContain("kept because the cluster gives no clear answer");
  });

  test("a cluster that answers at the third attempt decides", async () => {
    const { allDestroyed, ms } = await stop({ openCluster: () => clusterWith([silent, silent, set(1)]) });
    expect(allDestroyed).toBe(true);
    expect(ms).toBe(4000);
  });

  test.each(["no-destroy", "observe"] as const)("VAST_POLICY=%s keeps the instance all the same", async (policy) => {
    const { allDestroyed, steps, logged } = await stop({ policy });
    expect([allDestroyed, steps]).toEqual([false, []]);
    expect(logged).toContain(`VAST_POLICY=${policy}`);
  });

  test("a running create is awaited, so that its instance is destroyed with the others", async () => {
    let checks = 0;
    const { allDestroyed, steps, ms } = await stop({ createPending: async () => ++checks < 4 });
    expect([allDestroyed, steps]).toEqual([true, ["withdraw", "destroy"]]);
    expect(ms).toBe(6000);
  });

  test("a contract that was never listed and is destroyed by its id counts as destroyed", async () => {
    let destroyed = false;
    const destroy = async () => {
      destroyed = true;
      return { done: true, gone: [1], left: [] };
    };
    expect((await stop({ createPending: async () => !destroyed, destroy })).allDestroyed).toBe(true);
  });

  test("a create that is never resolved does not count as destroyed", async () => {
    const { allDestroyed, steps } = await stop({ createPending: async () => true });
    expect([allDestroyed, steps]).toEqual([false, ["withdraw", "destroy"]]);
  });

  test("a destroy that fails is logged, and does not count as destroyed", async () => {
    const failing = async () => {
      throw new Error("the API is away");
    };
    const { allDestroyed, logged } = await stop({ destroy: failing });
    expect(allDestroyed).toBe(false);
    expect(logged).toContain("could not be destroyed: the API is away");
  });
});

test("at a stop with keep the cluster is not asked and nothing is done", async () => {
  const openCluster = () => {
    throw new Error("asked");
  };
  expect(await stop({ onTerminate: "keep", openCluster })).toMatchObject({
    allDestroyed: false,
    steps: [],
    logged: "",
  });
});

test("at a stop with destroy the instance is destroyed without asking the cluster", async () => {
  const openCluster = () => {
    throw new Error("asked");
  };
  expect(await stop({ onTerminate: "destroy", openCluster })).toMatchObject({
    allDestroyed: true,
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
