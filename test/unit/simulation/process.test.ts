import { expect, test } from "vitest";
import { podDisk, processDisk } from "../../simulation/disk.ts";
import { newProcess } from "../../simulation/process.ts";
import { sharedRedis } from "../../simulation/redis.ts";
import { virtualTime } from "../../simulation/virtual-time.ts";

const nothing = { nextAt: () => null, happen: () => undefined };

test("the sleep of a killed process never ends, also when its signal is aborted later", async () => {
  const time = virtualTime(0);
  const deaths: number[] = [];
  const process = newProcess(time, () => deaths.push(time.now()));
  const abort = new AbortController();
  let woken = false;
  void process.clock.sleep(10, abort.signal).then(() => {
    woken = true;
  });
  time.after(5, process.kill);
  time.after(7, () => abort.abort());
  await time.runUntil(20, nothing);
  expect(woken).toBe(false);
  expect(deaths).toEqual([5]);
});

test("a sleep ends early when its signal is aborted, and only once", async () => {
  const time = virtualTime(0);
  const process = newProcess(time, () => undefined);
  const abort = new AbortController();
  const woken: number[] = [];
  void process.clock.sleep(10, abort.signal).then(() => woken.push(time.now()));
  time.after(4, () => abort.abort());
  await time.runUntil(20, nothing);
  expect(woken).toEqual([4]);
});

test("a process with a kill point dies when it reaches that point, and not before", () => {
  const process = newProcess(virtualTime(0), () => undefined);
  process.killAtPoint("create-made");
  expect(process.passes("create-sent")).toBe(true);
  expect(process.passes("create-made")).toBe(false);
  expect(process.alive()).toBe(false);
});

test.each([
  ["state-before", null],
  ["state-after", "new"],
] as const)("a process that dies at %s leaves %j on the disk, and its write never returns", async (point, left) => {
  const disk = podDisk("/upstream.json");
  const process = newProcess(virtualTime(0), () => undefined);
  process.killAtPoint(point);
  const own = processDisk(disk, {
    alive: process.alive,
    before: () => process.passes("state-before"),
    after: () => void process.passes("state-after"),
  });
  let returned = false;
  void own.write("/state", "new", 0o600).then(() => {
    returned = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(disk.read("/state")).toBe(left);
  expect(returned).toBe(false);
});

test("a full disk refuses a write and keeps its files", async () => {
  const disk = podDisk("/upstream.json");
  disk.write("/state", "old");
  disk.full = true;
  const own = processDisk(disk, { alive: () => true, before: () => true, after: () => undefined });
  await expect(own.write("/state", "new", 0o600)).rejects.toMatchObject({ code: "ENOSPC" });
  expect(disk.read("/state")).toBe("old");
});

test("Redis drops an expired key, keeps the first of two start times, and counts", async () => {
  let now = 0;
  const redis = sharedRedis(() => now).connect(async () => undefined);
  await redis.setIfAbsent("wait_1", "5", 10);
  await redis.setIfAbsent("wait_1", "6", 10);
  await redis.setWithTtl("ban_7", "host_failed", 20);
  await redis.add("restarts_1", 2, 10);
  await redis.add("restarts_1", 1, 10);
  expect(await redis.mget(["wait_1", "restarts_1", "none"])).toEqual(["5", "3", null]);
  now = 10_000;
  expect(await redis.mget(["wait_1", "restarts_1"])).toEqual([null, null]);
  expect(await redis.scan("0", "ban_*")).toEqual(["0", ["ban_7"]]);
});

test("Redis that is down rejects after a second", async () => {
  const slept: number[] = [];
  const shared = sharedRedis(() => 0);
  shared.away = true;
  const redis = shared.connect(async (ms) => void slept.push(ms));
  await expect(redis.mget(["a"])).rejects.toThrow("timed out");
  expect(slept).toEqual([1000]);
});

test("a frozen process learns what it has missed when it continues, in order, one step after another", async () => {
  const time = virtualTime(0);
  const process = newProcess(time, () => undefined);
  const steps: string[] = [];
  void process.clock.sleep(10).then(() => steps.push(`first at ${time.now()}`));
  void process.clock.sleep(20).then(() => steps.push(`second at ${time.now()}`));
  time.after(5, () => {
    const thaw = process.freeze();
    time.after(100, thaw);
    time.after(101, thaw);
  });
  time.after(30, () => process.whenRunning(() => steps.push(`answer at ${time.now()}`)));
  await time.runUntil(200, nothing);
  expect(steps).toEqual(["first at 105", "second at 105", "answer at 105"]);
});

test("a process that is killed while it is frozen never continues", async () => {
  const time = virtualTime(0);
  const process = newProcess(time, () => undefined);
  let woken = false;
  void process.clock.sleep(10).then(() => {
    woken = true;
  });
  const thaw = process.freeze();
  time.after(20, process.kill);
  time.after(30, thaw);
  await time.runUntil(50, nothing);
  expect(woken).toBe(false);
});
