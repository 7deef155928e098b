import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { failures, summary } from "./client.ts";
import { openStage, PATIENCE_MS, type Stage } from "./stage.ts";

// One deployment for all tests, which run one after another.
describe("a rollout", () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage("rollout");
    await stage.apply();
    await stage.serving(1);
    await stage.scale(3);
    await stage.serving(3);
  });
  afterAll(() => stage?.close());

  test("of an image replaces one instance after the other, without a failed request", async () => {
    const mark = await stage.client.mark();
    const startedAt = Date.now();
    await stage.apply({ VAST_TEMPLATE_IMAGE: "example/app:3" });
    let fewest = 3;
    await until(
      "the rollout is done",
      async () => {
        const { metadata, status } = await stage.set();
        fewest = Math.min(fewest, status.readyReplicas ?? 0);
        const isCurrent = status.observedGeneration === metadata.generation && status.updatedReplicas === 3;
        return isCurrent && status.readyReplicas === 3;
      },
      { timeoutMs: PATIENCE_MS, everyMs: 250, context: () => stage.kubectl("get", "pods", "--output", "wide") },
    );
    const samples = await stage.client.since(mark);
    console.log(
      `an image rollout of three pods took ${Math.round((Date.now() - startedAt) / 1000)} s: ${summary(samples)}`,
    );
    expect(failures(samples)).toEqual([]);
    expect(fewest).toBeGreaterThanOrEqual(2);
    expect((await stage.live()).map((one) => one.image_uuid)).toEqual(Array(3).fill("example/app:3"));
  });

  test("of a corrected setting reaches a pod that found no offer", async () => {
    await stage.scale(1);
    await stage.serving(1);
    // A price that no offer has: the pod cannot replace its instance.
    await stage.apply({ VAST_MAX_DPH: "0.0001" });
    await stage.serving(1);
    const [instance] = await stage.live();
    await stage.emulator.event(instance?.id ?? 0, "kill");
    await until("the pod is not ready", async () => ((await stage.set()).status.readyReplicas ?? 0) === 0, {
      timeoutMs: PATIENCE_MS,
      everyMs: 500,
    });
    expect(await stage.live()).toEqual([]);
    await stage.apply({ VAST_MAX_DPH: "1" });
    expect(await stage.serving(1)).toHaveLength(1);
  });
});
