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

/** A cluster that answers with `looks` for the StatefulSet, one after another, the last one for ever. */
function clusterWith(looks: readonly LookupResult[], ownPod = pod): Cluster {
  let asked = 0;
  return {
    namespace: "models",
    get: async (path) => {
      if (path.endsWith("/pods/vast-pod-1")) return ownPod;
      asked += 1;
      return looks[Math.min(asked, looks.length) - 1] ?? silent;
    },
  };
}

async function end(over: Partial<TerminateParts> = {}) {
  const steps: string[] = [];
  const { log, lines } = fakeLog();
  const clock = fakeClock(NOW);
  const ended = await clock.drive(
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
  return { ended, steps, said: lines.map((line) => String(line.msg)).join("\n"), ms: clock.now() - NOW };
}

describe("at a stop with scale-down", () => {
  test("the instance of a pod that is not wanted any more is withdrawn first and then ended", async () => {
    const { ended, steps, said } = await end();
    expect(ended).toBe(true);
    expect(steps).toEqual(["withdraw", "destroy"]);
    expect(said).toContain("the StatefulSet vast-pod wants 1 pods");
  });

  test("the instance of a pod that is wanted is kept", async () => {
    const { ended, steps, said } = await end({ openCluster: () => clusterWith([set(2)]) });
    expect([ended, steps]).toEqual([false, []]);
    expect(said).toContain("kept, since the StatefulSet vast-pod wants 2 pods");
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
    const { ended, steps, said } = await end({ openCluster });
    expect([ended, steps]).toEqual([false, []]);
    expect(said).toContain("kept, since the cluster gives no clear answer");
  });

  test("a cluster that answers at the third question is believed", async () => {
    const { ended, ms } = await end({ openCluster: () => clusterWith([silent, silent, set(1)]) });
    expect(ended).toBe(true);
    expect(ms).toBe(4000);
  });

  test.each(["no-destroy", "observe"] as const)("VAST_POLICY=%s keeps the instance all the same", async (policy) => {
    const { ended, steps, said } = await end({ policy });
    expect([ended, steps]).toEqual([false, []]);
    expect(said).toContain(`VAST_POLICY=${policy}`);
  });

  test("a create under way is waited for, so that its instance is ended with the others", async () => {
    let looks = 0;
    const { ended, steps, ms } = await end({ createPending: async () => ++looks < 4 });
    expect([ended, steps]).toEqual([true, ["withdraw", "destroy"]]);
    expect(ms).toBe(6000);
  });

  test("a contract that was never listed and is ended by its id counts as ended", async () => {
    let destroyed = false;
    const destroy = async () => {
      destroyed = true;
      return { done: true, gone: [1], left: [] };
    };
    expect((await end({ createPending: async () => !destroyed, destroy })).ended).toBe(true);
  });

  test("a create that is never resolved does not count as ended", async () => {
    const { ended, steps } = await end({ createPending: async () => true });
    expect([ended, steps]).toEqual([false, ["withdraw", "destroy"]]);
  });

  test("a destroy that fails is said, and counts as not ended", async () => {
    const failing = async () => {
      throw new Error("the API is away");
    };
    const { ended, said } = await end({ destroy: failing });
    expect(ended).toBe(false);
    expect(said).toContain("could not be ended: the API is away");
  });
});

test("at a stop with keep nobody is asked and nothing is done", async () => {
  const openCluster = () => {
    throw new Error("asked");
  };
  expect(await end({ onTerminate: "keep", openCluster })).toMatchObject({ ended: false, steps: [], said: "" });
});

test("at a stop with destroy the instance is ended without a question", async () => {
  const openCluster = () => {
    throw new Error("asked");
  };
  expect(await end({ onTerminate: "destroy", openCluster })).toMatchObject({
    ended: true,
    steps: ["withdraw", "destroy"],
  });
});

describe("the start warns", () => {
  const none = () => {
    throw new Error("KUBERNETES_SERVICE_HOST is not set");
  };
  test("of destroy in Kubernetes, where every restart would end the instance", () => {
    expect(terminateWarning("destroy", true, none)).toMatch(/every restart/);
    expect(terminateWarning("destroy", false, none)).toBeNull();
  });
  test("of scale-down where there is no cluster to ask", () => {
    expect(terminateWarning("scale-down", false, none)).toMatch(/always kept: KUBERNETES_SERVICE_HOST/);
    expect(terminateWarning("scale-down", true, () => clusterWith([]))).toBeNull();
  });
  test("of nothing with keep", () => {
    expect(terminateWarning("keep", true, none)).toBeNull();
  });
});
