import { describe, expect, test } from "vitest";
import { fleetKeys } from "../../../../provisioner/fleet/keys.ts";
import { createMoneyReadings } from "../../../../provisioner/fleet/money-readings.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { sharedRedis } from "../../../simulation/redis.ts";
import { type ClientScript, fakeClient, type Journal, vastError } from "../fakes.ts";
import { LABEL, MINUTE, NOW } from "../plan/situation.ts";

const age = { freshMs: 5 * MINUTE, usableMs: 10 * MINUTE };

function fleetOf(count: number, script: ClientScript) {
  const clock = fakeClock(NOW);
  const redis = sharedRedis(clock.now);
  const journal: Journal = [];
  const pods = Array.from({ length: count }, (_, i) =>
    createMoneyReadings({
      client: fakeClient(journal, script),
      clock,
      fleet: { redis: redis.connect(clock.sleep), keys: () => fleetKeys(9), token: `pod ${i}` },
    }),
  );
  return { clock, journal, pods };
}

describe("announced prices and charges", () => {
  test("are read once for all pods, and again when they are too old", async () => {
    const increase = { id: 1, instanceId: 5, factor: 1.25, gpuDollarsPerHour: 1, endsAt: null };
    const { pods, journal, clock } = fleetOf(5, {
      priceIncreases: () => [increase],
      charges: () => ({ [LABEL]: 12.5, other: 3 }),
    });
    for (const pod of pods) {
      expect((await pod.priceIncreases(age)).value).toEqual([increase]);
      expect((await pod.charges(age)).value).toEqual({
        since: Date.UTC(2026, 9, 24),
        byLabel: { [LABEL]: 12.5, other: 3 },
      });
    }
    expect(journal).toEqual(["price increases", "charges"]);
    await clock.advance(5 * MINUTE + 1);
    await pods[0]?.charges(age);
    expect(journal).toEqual(["price increases", "charges", "charges"]);
  });

  test("are not taken for none when one pod is refused: the next one asks itself", async () => {
    const refused = () => {
      throw vastError("auth");
    };
    const { pods, journal } = fleetOf(2, { charges: refused });
    for (const pod of pods) await expect(pod.charges(age)).rejects.toMatchObject({ kind: "auth" });
    expect(journal).toEqual(["charges", "charges"]);
  });
});
