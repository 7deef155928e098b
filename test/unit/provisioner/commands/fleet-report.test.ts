import { expect, test } from "vitest";
import { createFleetReport } from "../../../../provisioner/commands/fleet-report.ts";
import { fleetKeys } from "../../../../provisioner/fleet/keys.ts";
import { readReports } from "../../../../provisioner/fleet/reports.ts";
import { type LoopState, startState } from "../../../../provisioner/loop-state.ts";
import type { Policy } from "../../../../provisioner/model/desired.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { sharedRedis } from "../../../simulation/redis.ts";
import { fakeLog } from "../fakes.ts";
import { desired, LABEL, limits, MINUTE, NOW, observation, planned, row, SECOND, state } from "../plan/situation.ts";

const keys = fleetKeys(17);

function reporter({ policy = "sync", pods = 1 }: { policy?: Policy; pods?: number } = {}) {
  const clock = fakeClock(NOW);
  const redis = sharedRedis(clock.now);
  const connection = redis.connect(clock.sleep);
  const loop: LoopState = { ...startState(state(), NOW), seen: observation([row()]), plan: planned({}) };
  const settings = {
    podName: "vast-pod-0",
    desired,
    limits,
    policy,
    firstCreateWaitMs: 10 * SECOND,
    secrets: { all: () => ["sekrit-key-0123"] },
  };
  const { log, lines } = fakeLog();
  const context = { settings, deps: { clock }, log };
  const report = createFleetReport(context, loop, { redis: connection, keys: () => keys, token: "t" }, () => pods);
  const after = async (ms: number) => {
    const before = redis.operations();
    report.report();
    report.report(); // the first write is still under way
    await clock.advance(ms);
    return redis.operations() - before;
  };
  return { clock, redis, loop, lines, after, report, read: () => readReports(connection, keys) };
}

test("a report is written when something changes, and otherwise each five minutes", async () => {
  const { loop, after, read, clock } = reporter();
  expect(await after(SECOND)).toBe(1);
  expect([await after(MINUTE), await after(3 * MINUTE)]).toEqual([0, 0]);
  Object.assign(loop, { plan: { ...planned({}), reason: "no_offer" } });
  expect(await after(SECOND)).toBe(1);
  await clock.advance(4 * MINUTE);
  expect(await after(2 * MINUTE)).toBe(0);
  expect(await after(SECOND)).toBe(1);
  expect((await read()).get(LABEL)).toMatchObject({ ageMs: SECOND, report: { pod: "vast-pod-0", reason: "no_offer" } });
});

test("a pod that starts tells what it does once it knows that there is no instance, or after half a minute", async () => {
  const { loop, after } = reporter();
  Object.assign(loop, { plan: { ...planned({}), reason: "confirming_none" } });
  expect(await after(10 * SECOND)).toBe(0);
  Object.assign(loop, { plan: { ...planned({}), reason: "waiting_for_turn" } });
  expect(await after(10 * SECOND)).toBe(1);
  Object.assign(loop, { plan: { ...planned({}), reason: "confirming_none" } });
  expect([await after(10 * SECOND), await after(SECOND)]).toEqual([0, 1]);
});

test("in a large fleet not all pods tell at once that they wait for their turns", async () => {
  const { loop, after, read } = reporter({ pods: 1000 });
  Object.assign(loop, { plan: { ...planned({}), reason: "waiting_for_turn" } });
  expect(await after(5 * MINUTE)).toBe(0);
  expect(await after(SECOND)).toBe(1);
  Object.assign(loop, { plan: { ...planned({}), reason: "no_offer" } });
  expect(await after(SECOND)).toBe(1);
  expect((await read()).get(LABEL)?.report?.reason).toBe("no_offer");
});

test("while Redis is away nothing waits, and it is tried each half minute", async () => {
  const { redis, after, lines } = reporter();
  redis.away = true;
  expect([await after(5 * SECOND), await after(SECOND)]).toEqual([1, 0]);
  await after(30 * SECOND);
  redis.away = false;
  expect(await after(SECOND)).toBe(1);
  expect(lines).toEqual([]);
});

test("secrets and what controls a terminal are no part of it, and its texts are bounded", async () => {
  const { loop, after, read } = reporter();
  const message = `sekrit-key-0123 red\u0007\u202e ${"long ".repeat(200)}`;
  Object.assign(loop, { plan: { ...planned({}), message } });
  await after(SECOND);
  const { message: written = "" } = (await read()).get(LABEL)?.report ?? {};
  expect(written).toMatch(/^\[secret\] red long/);
  expect(written.length).toBeLessThanOrEqual(400);
});

test("a provisioner that another one keeps from acting does not overwrite its report", async () => {
  const { loop, after } = reporter();
  loop.ownership = { kind: "other", owner: "another", until: null };
  expect(await after(SECOND)).toBe(0);
});

test("a provisioner that observes marks its report", async () => {
  const { after, read } = reporter({ policy: "observe" });
  await after(SECOND);
  expect((await read()).get(LABEL)?.report).toMatchObject({ observer: true, pod: "vast-pod-0" });
});

test("a pod that has ended on order is forgotten, also while its report is written", async () => {
  const { report, read, after } = reporter();
  await after(SECOND);
  expect((await read()).size).toBe(1);
  await report.forget();
  expect((await read()).size).toBe(0);
});
