// Whose fault it is: what is wrong with our own image, settings or network bans no host and rents no machine after the other. It
// ends in `blocked` with the remedy in the upstream file, and is tried ever more rarely.
import { describe, expect, test } from "vitest";
import { parseUpstreamFile, type UpstreamFile } from "../../common/upstream-file.ts";
import type { RedisConnection } from "../../provisioner/redis/connection.ts";
import type { JsonObject } from "../emulator/json.ts";
import { happens, MINUTE_MS, quietRun } from "./quiet-run.ts";
import { FIRST_IMAGE, type Injection } from "./scenario.ts";
import { simulate } from "./simulation.ts";

const FAULTY_MINUTES = 6 * 60;
// Creates by the minute; boots differ by some minutes from machine to machine.
const BOOT_SPREAD_MINUTES = 4;

interface Course {
  /** Minutes from the run's start. */
  creates: number[];
  bans: string[];
  /** Restarts that are counted at the run's end, an hour after the last at most. */
  restarts: (string | null)[];
  published: UpstreamFile[];
}

async function course(emulator: JsonObject, injections: Injection[] = []): Promise<Course> {
  const published: UpstreamFile[] = [];
  const connections: RedisConnection[] = [];
  const env = { BLACKLIST_ENABLED: "true" };
  const { truth } = await simulate(quietRun(injections, { faultyMinutes: FAULTY_MINUTES, env, emulator }), {
    alter: (world) => ({
      ...world,
      async connectRedis(url, log) {
        const connection = await world.connectRedis(url, log);
        connections.push(connection);
        return connection;
      },
      disk: {
        ...world.disk,
        async write(path, text, mode) {
          const parsed = parseUpstreamFile(text);
          if (parsed.ok) published.push(parsed.file);
          return world.disk.write(path, text, mode);
        },
      },
    }),
  });
  const creates = truth.creates.filter((one) => one.made !== null).map((one) => (one.at - truth.start) / MINUTE_MS);
  const [redis] = connections;
  if (redis === undefined) throw new Error("the provisioner has not asked for Redis");
  const [, bans] = await redis.scan("0", "ban_*");
  const restarts = await redis.mget((await redis.scan("0", "restarts_*"))[1]);
  return { creates, bans, restarts, published };
}

/** The waits between creates, in minutes. */
const waits = ({ creates }: Course) => creates.slice(1).map((at, i) => at - (creates[i] ?? 0));

function expectEverRarer(seen: Course, { most, longestAtLeast }: { most: number; longestAtLeast: number }) {
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

describe("a fault of our own bans nobody, is tried ever more rarely, and is told with its remedy", () => {
  test("an image that does not exist", async () => {
    const seen = await course({ images: { [FIRST_IMAGE]: { failure: "manifest unknown: manifest unknown" } } });
    expect(seen.bans).toEqual([]);
    expectEverRarer(seen, { most: 20, longestAtLeast: 30 });
    expect(seen.published).toContainEqual(blocked("image_unavailable", /check VAST_TEMPLATE_IMAGE and DOCKER_LOGIN/));
  });

  test("an image whose entrypoint cannot be run", async () => {
    const seen = await course({ images: { [FIRST_IMAGE]: { crash: "exec /start.sh: exec format error" } } });
    expect(seen.bans).toEqual([]);
    expectEverRarer(seen, { most: 20, longestAtLeast: 30 });
    expect(seen.published).toContainEqual(blocked("image_unavailable", /check its entrypoint.*linux\/amd64/));
  });

  test("an image whose app ends right after its start", async () => {
    const seen = await course({ images: { [FIRST_IMAGE]: { crash: "" } } });
    expect(seen.bans).toEqual([]);
    expectEverRarer(seen, { most: 9, longestAtLeast: 80 });
    expect(seen.published).toContainEqual(
      blocked("app_not_listening", /check the image's command, environment and logs/),
    );
  });

  test("a disk that is too small for the image", async () => {
    const seen = await course({ images: { [FIRST_IMAGE]: { sizeGb: 60 } } });
    expect(seen.bans).toEqual([]);
    expectEverRarer(seen, { most: 20, longestAtLeast: 30 });
    expect(seen.published).toContainEqual(blocked("disk_too_small", /raise the template's disk space/));
  });

  test("an app that never listens", async () => {
    const seen = await course({ appSeconds: 1e9 });
    expect(seen.bans).toEqual([]);
    expectEverRarer(seen, { most: 7, longestAtLeast: 90 });
    expect(seen.published).toContainEqual(blocked("app_not_listening", /listens on 0\.0\.0\.0 at the published port/));
  });

  test("an egress rule that lets nothing through to instances from the beginning", async () => {
    const seen = await course({}, [noWayFrom(0, FAULTY_MINUTES)]);
    expect(seen.bans).toEqual([]);
    expectEverRarer(seen, { most: 7, longestAtLeast: 90 });
    expect(seen.published).toContainEqual(blocked("app_not_listening", /egress rule/));
  });

  test("an egress rule that comes while an instance serves", async () => {
    const seen = await course({}, [noWayFrom(30, FAULTY_MINUTES - 30)]);
    expect(seen.bans).toEqual([]);
    expectEverRarer({ ...seen, creates: seen.creates.slice(1) }, { most: 8, longestAtLeast: 60 });
    expect(seen.published).toContainEqual(blocked("app_not_listening", /egress rule/));
  });

  test("an egress rule that comes and goes: the second instance in a row is kept, and serves when it is mended", async () => {
    const seen = await course({}, [noWayFrom(30, 8), noWayFrom(50, 120)]);
    expect(seen.bans).toEqual([]);
    expect(seen.creates).toHaveLength(2);
    expect(seen.published).toContainEqual(blocked("unreachable_from_here", /our own network.*Check egress rules/));
    expect(seen.published.at(-1)).toMatchObject({ state: "ready" });
  });
});

test("a host that never starts an instance is banned: the ban can be seen where it is due", async () => {
  const seen = await course({}, [{ kind: "bad-host", at: 40_000, pod: 0, forMs: 30 * MINUTE_MS }]);
  expect(seen.bans).toHaveLength(1);
  expect(seen.creates).toHaveLength(2);
});

test("a crash that an instance comes back from within its grace counts as its restart, and it is kept", async () => {
  const seen = await course({}, [happens(380, "exit"), happens(381, "recover")]);
  expect(seen.creates).toHaveLength(1);
  expect(seen.restarts).toEqual(["1"]);
  expect(seen.published).toContainEqual(expect.objectContaining({ state: "unavailable", reason: "instance_lost" }));
  expect(seen.published.at(-1)).toMatchObject({ state: "ready" });
});

test("a crash that it does not come back from replaces it after its grace, and bans nobody", async () => {
  const seen = await course({}, [happens(60, "exit")]);
  expect(seen.creates).toHaveLength(2);
  expect(seen.creates[1]).toBeGreaterThan(62);
  expect(seen.creates[1]).toBeLessThan(64);
  expect(seen.bans).toEqual([]);
});
