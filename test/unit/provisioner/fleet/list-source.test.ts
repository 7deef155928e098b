import { describe, expect, test } from "vitest";
import type { Entry } from "../../../../provisioner/fleet/entry.ts";
import { fleetKeys } from "../../../../provisioner/fleet/keys.ts";
import { createListSource } from "../../../../provisioner/fleet/list-source.ts";
import { createSnapshot, type Trouble } from "../../../../provisioner/fleet/snapshot.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { sharedRedis } from "../../../simulation/redis.ts";
import { HOUR, LABEL, MINUTE, NOW, row, SECOND } from "../plan/situation.ts";

/** `aheadMs`: how much the pod's clock is ahead of Redis'. */
function pod(aheadMs = 0) {
  const clock = fakeClock(NOW);
  let setMs = aheadMs;
  const redis = sharedRedis(clock.now);
  const snapshot = createSnapshot(redis.connect(clock.sleep), fleetKeys(1));
  const own = { ...clock, now: () => clock.now() + setMs };
  const source = createListSource({ snapshot: () => snapshot, clock: own, label: LABEL });
  const publish = async (entry: Entry | null, trouble: Trouble | null = null) => {
    await snapshot.lead("one", 25, false);
    await snapshot.publish("one", new Map(entry === null ? [] : [[LABEL, entry]]), trouble);
  };
  return {
    clock,
    redis,
    source,
    snapshot,
    publish,
    set: (ms: number) => {
      setMs = ms;
    },
  };
}

const why = { message: "GET /api/v1/instances/: HTTP 502", account: null };

describe("the shared list", () => {
  test("has its time by the pod's clock, whatever that clock shows", async () => {
    for (const aheadMs of [0, HOUR, -HOUR]) {
      const { clock, source, publish } = pod(aheadMs);
      await publish({ askedAt: NOW - 7 * SECOND, rows: [row()] });
      expect(await clock.drive(source.look(SECOND))).toEqual({
        kind: "list",
        listedAt: NOW + aheadMs - 7 * SECOND,
        rows: [row()],
      });
    }
  });

  test("keeps its time however late it is looked at, and is not from the future after the clock was set back", async () => {
    const { clock, source, publish, set } = pod();
    await publish({ askedAt: NOW - SECOND, rows: [] });
    await clock.drive(source.look(MINUTE));
    set(5 * SECOND);
    expect(await clock.drive(source.look(MINUTE))).toMatchObject({ listedAt: NOW - SECOND });
    set(-HOUR);
    expect(await clock.drive(source.look(MINUTE))).toMatchObject({ listedAt: NOW - HOUR - SECOND });
  });

  test("counts for 120 s after its next reading was due", async () => {
    const { clock, source, publish } = pod();
    await publish({ askedAt: NOW, rows: [] });
    await clock.advance(3 * MINUTE);
    expect(await clock.drive(source.look(MINUTE))).toMatchObject({ kind: "list" });
    await clock.advance(1);
    expect(await clock.drive(source.look(MINUTE))).toEqual({ kind: "none" });
  });

  test("is unknown when it is broken, missing, or from the future of Redis' clock", async () => {
    const { clock, source, publish } = pod();
    expect(await clock.drive(source.look(SECOND))).toEqual({ kind: "none" });
    await publish({ askedAt: NOW, rows: [row({ label: "another" })] });
    expect(await clock.drive(source.look(SECOND))).toEqual({ kind: "none" });
    await publish({ askedAt: NOW + SECOND, rows: [] });
    expect(await clock.drive(source.look(SECOND))).toEqual({ kind: "none" });
  });

  test("is unknown, with the reason, when what the API answered for this label cannot be read", async () => {
    const { clock, source, publish } = pod();
    await publish({ askedAt: NOW, why });
    expect(await clock.drive(source.look(MINUTE))).toEqual({ kind: "failed", listedAt: NOW, why });
  });

  test("is unknown when the leader could not read it although it was due, with the reason", async () => {
    const { clock, source, publish } = pod();
    await publish({ askedAt: NOW, rows: [] });
    await clock.advance(10 * SECOND);
    await publish(null, { at: NOW + 10 * SECOND, why });
    expect(await clock.drive(source.look(MINUTE))).toMatchObject({ kind: "list" });
    expect(await clock.drive(source.look(SECOND))).toEqual({ kind: "failed", listedAt: NOW + 10 * SECOND, why });
  });
});

describe("a fresh list", () => {
  test("was asked for after the call, and is what there is when none comes in time", async () => {
    const { clock, source, publish } = pod();
    await publish({ askedAt: NOW, rows: [] });
    const fresh = source.fresh(5 * SECOND);
    await clock.advance(SECOND);
    await publish({ askedAt: NOW + 600, rows: [row()] });
    expect(await clock.drive(fresh)).toMatchObject({ kind: "list", listedAt: NOW + 600, rows: [row()] });
    const began = clock.now();
    expect(await clock.drive(source.fresh(5 * SECOND))).toMatchObject({ kind: "list", listedAt: NOW + 600 });
    expect(clock.now() - began).toBeGreaterThanOrEqual(5 * SECOND);
  });

  test("is wanted before everything that is only due", async () => {
    const { clock, source, snapshot, publish } = pod();
    await publish({ askedAt: NOW, rows: [] });
    await clock.advance(SECOND);
    await snapshot.look("k8s_pod=other", 0, 0);
    await clock.advance(SECOND);
    await clock.drive(source.fresh(SECOND));
    const lead = await snapshot.lead("one", 25, false);
    expect(lead?.next.map(({ label }) => label)).toEqual([LABEL, "k8s_pod=other"]);
  });

  test("ends as soon as the leader has failed to read it", async () => {
    const { clock, source, publish } = pod();
    const fresh = source.fresh(10 * SECOND);
    await clock.advance(SECOND);
    await publish(null, { at: NOW + 500, why });
    expect(await clock.drive(fresh)).toEqual({ kind: "failed", listedAt: NOW + 500, why });
    expect(clock.now()).toBeLessThan(NOW + 3 * SECOND);
  });

  test("rejects when Redis is away", async () => {
    const { clock, source, redis } = pod();
    redis.away = true;
    await expect(clock.drive(source.fresh(SECOND))).rejects.toThrow("Command timed out");
  });
});

test("a leader is known from the last look, if that was lately", async () => {
  const { clock, source, publish } = pod();
  expect(source.leaderKnownForMs()).toBe(0);
  await clock.drive(source.look(SECOND));
  expect(source.leaderKnownForMs()).toBe(0);
  await publish({ askedAt: NOW, rows: [] });
  await clock.drive(source.look(SECOND));
  expect(source.leaderKnownForMs()).toBe(10 * SECOND);
  await clock.advance(9 * SECOND);
  expect(source.leaderKnownForMs()).toBe(SECOND);
  await clock.advance(2 * SECOND);
  expect(source.leaderKnownForMs()).toBe(0);
});
