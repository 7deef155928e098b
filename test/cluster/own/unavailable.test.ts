// A Kubernetes that counts a broken pod as unavailable in a rollout (the default of 1.35.0 to 1.35.3): what the page says must help. Only
// on our own control plane, which can be started like that.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../sandbox/until.ts";
import { openStage, PATIENCE_MS, type Stage } from "../stage.ts";
import { restartControllers } from "./node.ts";

// The controller acts within a second of an apply.
const REPLACED_MS = 15_000;

describe("a corrected setting, where a broken pod counts as unavailable", () => {
  let stage: Stage;
  beforeAll(async () => {
    await restartControllers("--feature-gates=MaxUnavailableStatefulSet=true");
    stage = await openStage("unavailable");
    await stage.apply();
    await stage.serving(1);
  });
  afterAll(async () => {
    await restartControllers();
    await stage?.close();
  });

  const everyHalfSecond = { timeoutMs: PATIENCE_MS, everyMs: 500 };
  const uid = async () => (await stage.pods())[0]?.metadata.uid;
  /** Applies it and waits until the controller has seen it. */
  const applied = async (settings: Readonly<Record<string, string>>) => {
    await stage.apply(settings);
    await until(
      "the controller has seen it",
      async () => {
        const { metadata, status } = await stage.set();
        return status.observedGeneration === metadata.generation;
      },
      everyHalfSecond,
    );
  };

  test("reaches a pod that found no offer once the pod is deleted", async () => {
    // A price that no offer has.
    await applied({ VAST_MAX_DPH: "0.0001" });
    const [instance] = await stage.serving(1);
    await stage.emulator.event(instance?.id ?? 0, "kill");
    await until("the pod is not ready", async () => !(await stage.set()).status.readyReplicas, everyHalfSecond);
    expect(await stage.live()).toEqual([]);
    const broken = await uid();

    await applied({ VAST_MAX_DPH: "1" });
    const from = performance.now();
    const isOver = async () => (await uid()) !== broken || performance.now() - from >= REPLACED_MS;
    await until("the time of a replacement is over", isOver, everyHalfSecond);
    expect(await uid()).toBe(broken);

    await stage.kubectl("delete", "pod", "vast-pod-0");
    expect(await stage.serving(1)).toHaveLength(1);
  });
});
