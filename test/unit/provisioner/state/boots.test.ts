import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { applyObservation } from "../../../../provisioner/state/apply-observation.ts";
import { type Boot, graceOf, usualAppStart, usualStart, withBoot } from "../../../../provisioner/state/boots.ts";
import type { State } from "../../../../provisioner/state/schema.ts";
import {
  desired,
  HASH,
  MINUTE,
  NOW,
  observation,
  observedWith,
  passing,
  row,
  SECOND,
  servingTrack,
  silentTrack,
  state,
  tracks,
  waitingTrack,
} from "../plan/situation.ts";

const ID = 7835610;
const IMAGE = "example/app:2";
const boot = (bootSeconds: number, appSeconds: number, image = IMAGE): Boot => ({
  image,
  bootMs: bootSeconds * SECOND,
  appMs: appSeconds * SECOND,
});

test("how long an instance takes to answer is learned from the slower starts of its image", () => {
  expect(usualStart([boot(100, 30), boot(10, 1), boot(300, 9, "example/app:1")], IMAGE)).toBe(130 * SECOND);
  expect(usualStart([boot(300, 9, "example/app:1")], IMAGE)).toBeNull();
});

describe("how long a dead instance is worth a wait", () => {
  test("is half of a boot and all of the app's start", () => {
    expect(graceOf([boot(100, 30)], IMAGE)).toBe(80 * SECOND);
  });

  test("is not known before an instance of the image has come up", () => {
    expect(graceOf([], IMAGE)).toBeNull();
    expect(graceOf([boot(100, 30, "example/app:1")], IMAGE)).toBeNull();
  });

  test("follows the slower starts, not a single quick one", () => {
    expect(graceOf([boot(100, 30), boot(110, 30), boot(10, 1), boot(104, 30)], IMAGE)).toBe(85 * SECOND);
  });

  test("is between 45 and 300 s, whatever was seen", () => {
    const someBoots = fc.array(fc.record({ image: fc.constant(IMAGE), bootMs: fc.nat(1e7), appMs: fc.nat(1e7) }), {
      minLength: 1,
    });
    fc.assert(
      fc.property(someBoots, (boots) => {
        const grace = graceOf(boots, IMAGE);
        expect(grace).toBeGreaterThanOrEqual(45 * SECOND);
        expect(grace).toBeLessThanOrEqual(300 * SECOND);
      }),
    );
  });
});

test("how long an app usually starts follows the slower of the latest eight starts, whatever their image", () => {
  expect(usualAppStart([])).toBeNull();
  expect(usualAppStart([boot(100, 30), boot(100, 90), boot(100, 31), boot(100, 29, "example/app:1")])).toBe(
    90 * SECOND,
  );
  const old = Array.from({ length: 8 }, () => boot(100, 600));
  expect(usualAppStart([...old, ...Array.from({ length: 8 }, () => boot(100, 20))])).toBe(20 * SECOND);
});

test("the latest eight boots of an image are remembered, and eight of all others", () => {
  let boots: Boot[] = [];
  for (let i = 1; i <= 12; i += 1) boots = withBoot(boots, boot(i, 0, "example/app:1"));
  for (let i = 1; i <= 12; i += 1) boots = withBoot(boots, boot(i, 0));
  const secondsOf = (image: string) => boots.filter((one) => one.image === image).map(({ bootMs }) => bootMs / SECOND);
  expect(secondsOf(IMAGE)).toEqual([5, 6, 7, 8, 9, 10, 11, 12]);
  expect(secondsOf("example/app:1")).toEqual([5, 6, 7, 8, 9, 10, 11, 12]);
});

describe("a boot is recorded", () => {
  const bootsAfter = (before: State, now = NOW) => {
    const seen = observation([row()], { probes: new Map([[ID, passing()]]) });
    return applyObservation(before, observedWith(before, seen, now), desired, 10 * SECOND, now).boots;
  };
  const running = { firstSeenAt: NOW - 3 * MINUTE, runningSince: NOW - MINUTE };

  test("when the instance answers for the first time: from its first list until it ran, and until it answered", () => {
    expect(bootsAfter(state({ tracks: tracks(ID, waitingTrack(3 * MINUTE, running)) }))).toEqual([boot(120, 60)]);
  });

  test("not when it answers again", () => {
    expect(bootsAfter(state({ tracks: tracks(ID, servingTrack(running)) }))).toEqual([]);
    expect(bootsAfter(state({ tracks: tracks(ID, silentTrack(MINUTE, { ...running, passesMissing: 1 })) }))).toEqual(
      [],
    );
  });

  test("not of an instance that was updated in place: it kept its machine and layers", () => {
    const updating = {
      instanceId: ID,
      wanted: `image ${IMAGE}`,
      image: IMAGE,
      templateHash: HASH,
      startedAt: NOW - 4 * MINUTE,
      sentAt: NOW - 4 * MINUTE,
      recycledAt: NOW - 3 * MINUTE,
      failed: null,
      before: null,
      statusBefore: "",
      undo: null,
    };
    const before = state({ tracks: tracks(ID, waitingTrack(3 * MINUTE, running)), updating });
    const seen = observedWith(before, observation([row()], { listedAt: NOW, probes: new Map([[ID, passing()]]) }), NOW);
    const after = applyObservation(before, seen, desired, 10 * SECOND, NOW);
    expect(after.tracks[ID]?.serving).toBe(true);
    expect(after.boots).toEqual([]);
  });

  test("not of an instance that was found running, or while nobody looked for a part of the time", () => {
    const found = { firstSeenAt: NOW - MINUTE, runningSince: NOW - MINUTE };
    expect(bootsAfter(state({ tracks: tracks(ID, waitingTrack(MINUTE, found)) }))).toEqual([]);
    const unobserved = waitingTrack(3 * MINUTE, { ...running, unobservedMs: 1 });
    expect(bootsAfter(state({ tracks: tracks(ID, unobserved) }))).toEqual([]);
  });
});
