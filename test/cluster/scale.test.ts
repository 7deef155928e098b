import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openStage, type Stage } from "./stage.ts";

// The pods' grace period, and time for the last of them to disappear.
const GONE_MS = 360_000;

// One deployment for all tests, which run one after another.
describe("the number of pods", () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage("scale");
    await stage.emulator.send("POST", "settings", { rateLimits: "on" });
    await stage.apply();
    await stage.serving(1);
  });
  afterAll(() => stage?.close());

  test("that was scaled up stays, with its instances, when the manifests are applied again", async () => {
    await stage.scale(3);
    const before = (await stage.serving(3)).map(({ id }) => id);
    expect(before).toHaveLength(3);
    await stage.apply();
    // By then the controller has seen what was applied.
    expect((await stage.serving(3)).map(({ id }) => id)).toEqual(before);
    expect((await stage.pods()).every(({ metadata }) => metadata.deletionTimestamp === undefined)).toBe(true);
  });

  test.each([6, 20])(
    "leaves no instance when %i pods end at the same time, behind one address and its limits",
    async (pods) => {
      await stage.scale(pods);
      expect(await stage.serving(pods)).toHaveLength(pods);
      const startedAt = Date.now();
      await stage.scale(0);
      await stage.gone(GONE_MS);
      console.log(`${pods} pods are gone after ${Math.round((Date.now() - startedAt) / 1000)} s`);
      expect(await stage.live()).toEqual([]);
    },
  );
});
