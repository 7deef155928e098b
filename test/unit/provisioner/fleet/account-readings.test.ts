import { describe, expect, test } from "vitest";
import { createAccountReadings } from "../../../../provisioner/fleet/account-readings.ts";
import { fleetKeys } from "../../../../provisioner/fleet/keys.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { sharedRedis } from "../../../simulation/redis.ts";
import { type ClientScript, fakeClient, type Journal } from "../fakes.ts";
import { NOW, SECOND, template } from "../plan/situation.ts";

const age = { freshMs: 15 * SECOND, usableMs: 15 * SECOND };

function fleetOf(count: number, script: ClientScript = {}) {
  const clock = fakeClock(NOW);
  const redis = sharedRedis(clock.now);
  const journal: Journal = [];
  const pods = Array.from({ length: count }, (_, i) =>
    createAccountReadings({
      client: fakeClient(journal, script),
      clock,
      fleet: { redis: redis.connect(clock.sleep), keys: () => fleetKeys(9), token: `pod ${i}` },
    }),
  );
  return { clock, journal, pods };
}

describe("the readings of an account", () => {
  test("are made once for all pods: the template and the credit", async () => {
    const { pods, journal } = fleetOf(5, { credit: () => null });
    for (const pod of pods) {
      expect((await pod.template("demo", age)).value).toEqual(template);
      expect((await pod.credit()).value).toBeNull();
    }
    expect(journal).toEqual(["template", "credit"]);
  });

  test("know a template that does not exist, and keep templates of different names apart", async () => {
    const { pods, journal } = fleetOf(2, { template: () => null });
    for (const pod of pods) expect((await pod.template("demo", age)).value).toBeNull();
    for (const pod of pods) expect((await pod.template("other", age)).value).toBeNull();
    expect(journal).toEqual(["template", "template"]);
  });

  test("are never older than a create allows", async () => {
    const { pods, journal, clock } = fleetOf(2);
    await pods[0]?.template("demo", age);
    await clock.advance(15 * SECOND + 1);
    await pods[1]?.template("demo", age);
    expect(journal).toEqual(["template", "template"]);
  });
});
