import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { failures, summary } from "./client.ts";
import { openStage, PATIENCE_MS, type Stage } from "./stage.ts";

const TYPO = "example/app:typo";
const FAILURE = "Error response from daemon: manifest for example/app:typo not found: manifest unknown";

// One deployment for all tests, which run one after another.
describe("a rollout by surge", () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage("surge");
    await stage.apply({ VAST_UPDATE_STRATEGY: "surge" });
    await stage.serving(1);
    await stage.scale(3);
    await stage.serving(3);
  });
  afterAll(() => stage?.close());

  const wait = {
    timeoutMs: PATIENCE_MS,
    everyMs: 250,
    context: () => stage.kubectl("get", "pods", "--output", "wide"),
  };

  test("is over when the new instances serve, not before, and no request fails", async () => {
    const mark = await stage.client.mark();
    const startedAt = Date.now();
    await stage.apply({ VAST_TEMPLATE_IMAGE: "example/app:3" });
    const readyWithoutNew: string[] = [];
    await until(
      "the rollout is done",
      async () => {
        const { metadata, status } = await stage.set();
        // Read after the status: what is new then was no less before.
        const isNew = (await stage.live()).filter((one) => one.image_uuid === "example/app:3").length;
        const fresh = status.observedGeneration === metadata.generation ? (status.updatedReplicas ?? 0) : 0;
        // All but the last pod of a rollout that goes on are ready with their new image.
        if (fresh - 1 > isNew) readyWithoutNew.push(`${fresh} pods have the new image, ${isNew} instances`);
        return fresh === 3 && status.readyReplicas === 3;
      },
      wait,
    );
    const images = (await stage.live()).map((one) => one.image_uuid);
    const samples = await stage.client.since(mark);
    console.log(
      `a rollout of three pods by surge took ${Math.round((Date.now() - startedAt) / 1000)} s: ${summary(samples)}`,
    );
    expect(readyWithoutNew).toEqual([]);
    expect(images.filter((one) => one === "example/app:3")).toHaveLength(3);
    expect(failures(samples)).toEqual([]);
    await until("the old instances are gone", async () => (await stage.live()).length === 3, wait);
  });

  test("to an image that cannot be pulled stops at its first pod, and costs no instance", async () => {
    const before = (await stage.live()).map((one) => one.id).sort();
    await stage.emulator.send("POST", "settings", { images: { [TYPO]: { failure: FAILURE } } });
    const mark = await stage.client.mark();
    await stage.apply({ VAST_TEMPLATE_IMAGE: TYPO });
    const tried = async () => (await stage.emulator.state()).instances.filter((one) => one.image_uuid === TYPO);
    await until(
      "the new instance was tried and is gone",
      async () => (await tried()).some((one) => one.destroyedAt !== null),
      wait,
    );
    const { status } = await stage.set();
    expect(status).toMatchObject({ updatedReplicas: 1, readyReplicas: 2 });
    expect((await stage.live()).map((one) => one.id).sort()).toEqual(before);

    await stage.apply({ VAST_TEMPLATE_IMAGE: "example/app:3" });
    expect((await stage.serving(3)).map((one) => one.id).sort()).toEqual(before);
    expect(failures(await stage.client.since(mark))).toEqual([]);
  });
});
