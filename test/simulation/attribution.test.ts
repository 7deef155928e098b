// Who is at fault: a problem of the image, the settings or the pod's network bans no host and does not rent one machine after
// another. The pod becomes `blocked` with the remedy in the upstream file, and retries with backoff.
import { describe, expect, test } from "vitest";
import { parseUpstreamFile, type UpstreamFile } from "../../common/upstream-file.ts";
import type { RedisConnection } from "../../provisioner/redis/connection.ts";
import type { JsonObject } from "../emulator/json.ts";
import { HOLD_PROBES_MS } from "./held-probes.ts";
import { FIRST_IMAGE, type Injection } from "./scenario.ts";
import { instanceEvent, MINUTE_MS, scenarioWith } from "./scenario-with.ts";
import { simulate } from "./simulation.ts";

const FAULTY_MINUTES = 6 * 60;
// Boots differ by some minutes from machine to machine.
const BOOT_SPREAD_MINUTES = 4;

interface Course {
  /** Minutes from the run's start. */
  creates: number[];
  bans: string[];
  /** Restart counters at the end of the run. */
  restarts: (string | null)[];
  published: UpstreamFile[];
}

async function course(emulator: JsonObject, injections: Injection[] = []): Promise<Course> {
  const published: UpstreamFile[] = [];
  const connections: RedisConnection[] = [];
  const env = { BLACKLIST_ENABLED: "true" };
  const { truth } = await simulate(scenarioWith(injections, { faultyMinutes: FAULTY_MINUTES, env, emulator }), {
    holdProbesMs: HOLD_PROBES_MS,
    alter: (dependencies) => ({
      ...dependencies,
      async connectRedis(url, log) {
        const connection = await dependencies.connectRedis(url, log);
        connections.push(connection);
        return connection;
      },
      disk: {
        ...dependencies.disk,
        async write(path, text, mode) {
          const parsed = parseUpstreamFile(text);
          if (parsed.ok) published.push(parsed.file);
          return dependencies.disk.write(path, text, mode);
        },
      },
    }),
  });
  const creates = truth.creates.filter((one) => one.made !== null).map((one) => (one.at - truth.start) / MINUTE_MS);
  const [redis] = connections;
  if (redis === undefined) throw new Error("the provisioner has not connected to Redis");
  const [, bans] = await redis.scan("0", "ban_*");
  const restarts = await redis.mget((await redis.scan("0", "restarts_*"))[1]);
  return { creates, bans, restarts, published };
}

/** The waits between creates, in minutes. */
const waits = ({ creates }: Course) => creates.slice(1).map((at, i) => at - (creates[i] ?? 0));

function expectBackoff(seen: Course, { most, longestAtLeast }: { most: number; longestAtLeast: number }) {
  expect(seen.creates.length).toBeGreaterThan(2);
  expect(seen.creates.length).toBeLessThanOrEqual(most);
  const between = waits(seen);
  for (const [i, wait] of between.slice(1).entries()) {
    expect(wait).toBeGreaterThan((between[i] ?? 0) - BOOT_SPREAD_MINUTES);
  }
  expect(between.at(-1)).toBeGreaterThan(longestAtLeast);
}

const blocked = (reason: string, remedy: RegExp) =>
  expect.objectContaining({ state: "blocked", reason, message: expect.stringMatching(remedy), server: null });

const noWayFrom = (minute: number, forMinutes: number): Injection => ({
  kind: "network",
  at: minute * MINUTE_MS,
  forMs: forMinutes * MINUTE_MS,
  to: "instances",
  code: "ETIMEDOUT",
  pod: null,
});

describe("a problem of image, settings or network bans no host, is retried with backoff, and is reported with its remedy", () => {
  test("an image that does not exist", async () => {
    const seen = await course({ images: { [FIRST_IMAGE]: { failure: "manifest unknown: manifest unknown" } } });
    expect(seen.bans).toEqual([]);
    expectBackoff(seen, { most: 20, longestAtLeast: 30 });
    expect(seen.published).toContainEqual(blocked("image_unavailable", /check VAST_TEMPLATE_IMAGE and DOCKER_LOGIN/));
  });

  test("an image whose entrypoint cannot be run", async () => {
    const seen = await course({ images: { [FIRST_IMAGE]: { crash: "exec /start.sh: exec format error" } } });
    expect(seen.bans).toEqual([]);
    expectBackoff(seen, { most: 20, longestAtLeast: 30 });
    expect(seen.published).toContainEqual(blocked("image_unavailable", /check its entrypoint.*linux\/amd64/));
  });

  test("an image whose app exits right after its start", async () => {
    const seen = await course({ images: { [FIRST_IMAGE]: { crash: "" } } });
    expect(seen.bans).toEqual([]);
    expectBackoff(seen, { most: 9, longestAtLeast: 80 });
    expect(seen.published).toContainEqual(
      blocked("app_not_listening", /check the image's command, environment and logs/),
    );
  });

  test("a disk that is too small for the image", async () => {
    const seen = await course({ images: { [FIRST_IMAGE]: { sizeGb: 60 } } });
    expect(seen.bans).toEqual([]);
    expectBackoff(seen, { most: 20, longestAtLeast: 30 });
    expect(seen.published).toContainEqual(blocked("disk_too_small", /raise the template's disk space/));
  });

  test("an app that never listens", async () => {
    const seen = await course({ appSeconds: 1e9 });
    expect(seen.bans).toEqual([]);
    expectBackoff(seen, { most: 7, longestAtLeast: 90 });
    expect(seen.published).toContainEqual(blocked("app_not_listening", /listens on 0\.0\.0\.0 at the published port/));
  });

  test("an egress rule that blocks instances from the start", async () => {
    const seen = await course({}, [noWayFrom(0, FAULTY_MINUTES)]);
    expect(seen.bans).toEqual([]);
    expectBackoff(seen, { most: 7, longestAtLeast: 90 });
    expect(seen.published).toContainEqual(blocked("app_not_listening", /egress rule/));
  });

  test("an egress rule that is added while an instance serves", async () => {
    const seen = await course({}, [noWayFrom(30, FAULTY_MINUTES - 30)]);
    expect(seen.bans).toEqual([]);
    expectBackoff({ ...seen, creates: seen.creates.slice(1) }, { most: 8, longestAtLeast: 60 });
    expect(seen.published).toContainEqual(blocked("app_not_listening", /egress rule/));
  });

  test("an egress rule that is added and removed: the second instance in a row is kept, and serves when the rule is removed", async () => {
    const seen = await course({}, [noWayFrom(30, 8), noWayFrom(50, 120)]);
    expect(seen.bans).toEqual([]);
    expect(seen.creates).toHaveLength(2);
    expect(seen.published).toContainEqual(blocked("unreachable_from_here", /our own network.*Check egress rules/));
    expect(seen.published.at(-1)).toMatchObject({ state: "ready" });
  });
});

test("a host that never starts an instance is banned, so these tests would show a ban", async () => {
  const seen = await course({}, [{ kind: "bad-host", at: 40_000, pod: 0, forMs: 30 * MINUTE_MS }]);
  expect(seen.bans).toHaveLength(1);
  expect(seen.creates).toHaveLength(2);
});

test("an instance that recovers from a crash within its grace period is kept, and a restart is counted", async () => {
  const seen = await course({}, [instanceEvent(380, "exit"), instanceEvent(380.5, "recover")]);
  expect(seen.creates).toHaveLength(1);
  expect(seen.restarts).toEqual(["1"]);
  expect(seen.published).toContainEqual(expect.objectContaining({ state: "unavailable", reason: "instance_lost" }));
  expect(seen.published.at(-1)).toMatchObject({ state: "ready" });
});

test("an instance that does not recover from a crash is replaced after its grace period, and no host is banned", async () => {
  const seen = await course({}, [instanceEvent(60, "exit")]);
  expect(seen.creates).toHaveLength(2);
  // The learned grace is at least 45 s, and never longer than the 120 s of one that is not learned.
  expect(seen.creates[1]).toBeGreaterThan(60.75);
  expect(seen.creates[1]).toBeLessThan(62);
  expect(seen.bans).toEqual([]);
});
