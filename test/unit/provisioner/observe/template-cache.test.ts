import { describe, expect, test } from "vitest";
import { createAccountReadings } from "../../../../provisioner/fleet/account-readings.ts";
import type { OwnSlot } from "../../../../provisioner/fleet/own-slot.ts";
import { known } from "../../../../provisioner/model/observation.ts";
import { nextTemplateAmongMany, pollSlotOf } from "../../../../provisioner/observe/poll-schedule.ts";
import { createTemplateCache } from "../../../../provisioner/observe/template-cache.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { vastError } from "../fakes.ts";
import { desired, MINUTE, NOW, SECOND, template } from "../plan/situation.ts";

/** A cache whose API answers with `answer`, and how often the API was called. */
function cacheOf(answer: () => typeof template | null = () => template, own: OwnSlot | null = null) {
  const clock = fakeClock(NOW);
  let back = 0;
  let calls = 0;
  const client = {
    findTemplate: async () => {
      calls += 1;
      return answer();
    },
  };
  const slot = pollSlotOf("vast-pod-3");
  const settableClock = { ...clock, now: () => clock.now() - back };
  const readings = createAccountReadings({
    client: { ...client, readCredit: async () => null },
    clock: settableClock,
    fleet: null,
  });
  return {
    clock,
    calls: () => calls,
    setBack: (ms: number) => {
      back = ms;
    },
    cache: createTemplateCache({ readings, clock: settableClock, random: () => 0.5, desired, slot, own }),
  };
}
const failsWith = (error: Error) => () => {
  throw error;
};

const MANY = { index: 7, pods: () => 50, redisIsAway: () => true };

describe("the template", () => {
  test("is read once, and again when it is due", async () => {
    const { cache, calls, clock } = cacheOf();
    expect(await cache.observe(true)).toEqual({ template: known(template), templateAt: NOW });
    await clock.advance(SECOND);
    expect(await cache.observe(true)).toEqual({ template: known(template), templateAt: NOW });
    expect(calls()).toBe(1);
    await clock.advance(cache.dueAt() - clock.now());
    expect((await cache.observe(true)).templateAt).toBe(clock.now());
    expect(calls()).toBe(2);
    expect(clock.now() - NOW).toBeLessThanOrEqual(61 * SECOND);
  });

  test("is not read while nothing depends on it", async () => {
    const { cache, calls } = cacheOf();
    expect(await cache.observe(false)).toMatchObject({ template: { known: false }, templateAt: 0 });
    expect(calls()).toBe(0);
  });

  test("is known to be missing", async () => {
    expect((await cacheOf(() => null).cache.observe(true)).template).toEqual(known(null));
  });

  test("is unknown after a failure, and read again ten seconds later", async () => {
    const { cache } = cacheOf(failsWith(vastError("auth", { status: 401 })));
    expect((await cache.observe(true)).template).toMatchObject({ known: false, why: { account: "auth" } });
    expect(cache.dueAt()).toBe(NOW + 10 * SECOND);
  });

  test("is read again later after a failure the more pods there are: in an outage of the API it fails for all", async () => {
    const { cache } = cacheOf(failsWith(vastError("unavailable")), {
      ...MANY,
      pods: () => 1000,
      redisIsAway: () => false,
    });
    await cache.observe(true);
    expect(cache.dueAt()).toBe(NOW + 10 * SECOND + 0.5 * MINUTE);
  });

  test("stays known after a refusal, and is read again in the pod's create slot", async () => {
    let refused = false;
    const { cache, clock } = cacheOf(() => (refused ? failsWith(vastError("rate_limited"))() : template));
    await cache.observe(true);
    refused = true;
    await clock.advance(MINUTE + SECOND);
    expect((await cache.observe(true)).template).toEqual(known(template));
    expect(cache.dueAt() % (51 * SECOND)).toBe(3 * 5100);
  });

  test("is as old after a refusal as before: a create may have read a newer one meanwhile", async () => {
    let refused = false;
    const { cache, calls, clock } = cacheOf(() => (refused ? failsWith(vastError("rate_limited"))() : template));
    await cache.observe(true);
    refused = true;
    for (let times = 2; times <= 4; times += 1) {
      await clock.advance(Math.max(cache.dueAt() - clock.now(), SECOND));
      expect(await cache.observe(true)).toEqual({ template: known(template), templateAt: NOW });
      expect(calls()).toBe(times);
    }
  });

  test("is read in the pod's own slot of a long round while many pods are without Redis, after a refusal, too", async () => {
    let refused = false;
    const read = () => (refused ? failsWith(vastError("rate_limited"))() : template);
    const { cache, clock } = cacheOf(read, MANY);
    for (refused of [false, true]) {
      const now = clock.now();
      await cache.observe(true);
      expect(cache.dueAt()).toBe(nextTemplateAmongMany(MANY, now));
      expect(cache.dueAt() - now).toBeGreaterThan(10 * SECOND);
      await clock.advance(5 * MINUTE);
    }
  });

  test("of many pods is asked for again soon after a refusal while Redis answers: another one may have read it", async () => {
    let answer: () => typeof template = failsWith(vastError("unavailable"));
    const { cache, clock } = cacheOf(() => answer(), { ...MANY, redisIsAway: () => false });
    for (const error of [vastError("unavailable"), vastError("rate_limited")]) {
      answer = failsWith(error);
      expect((await cache.observe(true)).template.known).toBe(false);
      expect(cache.dueAt()).toBe(clock.now() + 10 * SECOND + 0.5 * 0.06 * MANY.pods() * SECOND);
      await clock.advance(cache.dueAt() - clock.now());
    }
    answer = () => template;
    expect((await cache.observe(true)).template).toEqual(known(template));
    expect(cache.dueAt() - clock.now()).toBeLessThanOrEqual(61 * SECOND);
  });

  test("is read again when the clock was set back", async () => {
    const { cache, calls, setBack } = cacheOf();
    await cache.observe(true);
    setBack(MINUTE);
    expect((await cache.observe(true)).templateAt).toBe(NOW - MINUTE);
    expect(calls()).toBe(2);
  });

  test("does not hide an internal error", async () => {
    await expect(cacheOf(failsWith(new TypeError("a defect"))).cache.observe(true)).rejects.toThrow(TypeError);
  });

  test("that another pod has read keeps its age, and is asked for again the later the more pods there are", async () => {
    const { clock } = cacheOf();
    for (const ageMs of [0, 29 * SECOND, 80 * SECOND]) {
      const readings = {
        template: async () => ({ value: template, readAt: NOW - ageMs, sharedAt: NOW, own: false }),
      };
      const slot = pollSlotOf("vast-pod-3");
      const cache = createTemplateCache({ readings, clock, random: () => 0.5, desired, slot, own: MANY });
      expect(await cache.observe(true)).toEqual({ template: known(template), templateAt: NOW - ageMs });
      const spreadMs = Math.max(0.06 * MANY.pods(), 10) * SECOND; // known only later in a fleet that starts
      expect(cache.dueAt()).toBe(Math.max(NOW - ageMs + 30 * SECOND, NOW + 10 * SECOND) + 0.5 * spreadMs);
    }
  });
});
