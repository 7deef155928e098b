import { describe, expect, test } from "vitest";
import { type BanStore, createBanStore, noBans } from "../../../../provisioner/blacklist/store.ts";
import { fleetKeys } from "../../../../provisioner/fleet/keys.ts";
import type { RedisCommands } from "../../../../provisioner/redis/commands.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";
import { sharedRedis } from "../../../simulation/redis.ts";
import { NOW, SECOND } from "../plan/situation.ts";

const times = { banTtlSeconds: 604_800, restartTtlSeconds: 3600, banAfterSeconds: 1200 };

/** A Redis with `data` that returns its keys in pages of two and records what is written. */
function fakeRedis(data: Record<string, string> = {}) {
  const written: unknown[][] = [];
  const scans: string[] = [];
  const keys = Object.keys(data);
  const redis: RedisCommands = {
    async scan(cursor, pattern) {
      scans.push(`scan ${cursor} ${pattern}`);
      const at = Number(cursor);
      const next = at + 2 >= keys.length ? "0" : String(at + 2);
      const prefix = pattern.slice(0, -1);
      return [next, keys.slice(at, at + 2).filter((key) => key.startsWith(prefix))];
    },
    mget: async (names) => names.map((name) => data[name] ?? null),
    setWithTtl: async (...call) => void written.push(["setWithTtl", ...call]),
    setIfAbsent: async (...call) => {
      written.push(["setIfAbsent", ...call]);
      return !(call[0] in data);
    },
    remove: async (...call) => void written.push(["remove", ...call]),
    add: async (...call) => void written.push(["add", ...call]),
  };
  return { redis, written, scans };
}

const unreachable = async () => {
  throw new Error("Command timed out");
};

describe("the bans", () => {
  test("are read by walking the cursor to its end", async () => {
    const { redis, scans } = fakeRedis({ ban_1: "a", other: "x", another: "y", ban_2: "b", ban_3: "c" });
    const seen = await createBanStore(redis, fakeClock(), times).bans();
    expect(seen).toEqual({
      known: true,
      value: [
        { kind: "host", id: 1, reason: "a" },
        { kind: "host", id: 2, reason: "b" },
        { kind: "host", id: 3, reason: "c" },
      ],
    });
    expect(scans).toEqual(["scan 0 ban_*", "scan 2 ban_*", "scan 4 ban_*"]);
  });

  test("include hosts and machines", async () => {
    const { redis } = fakeRedis({ ban_7: "start_timeout", ban_machine_8: "host_failed" });
    expect(await createBanStore(redis, fakeClock(), times).bans()).toEqual({
      known: true,
      value: [
        { kind: "host", id: 7, reason: "start_timeout" },
        { kind: "machine", id: 8, reason: "host_failed" },
      ],
    });
  });

  test("exclude similar keys that are not bans", async () => {
    const { redis } = fakeRedis({ ban_7: "start_timeout", ban_machine_: "x", ban_: "x", ban_9x: "x", ban_ip_5: "x" });
    const seen = await createBanStore(redis, fakeClock(), times).bans();
    expect(seen).toEqual({ known: true, value: [{ kind: "host", id: 7, reason: "start_timeout" }] });
  });

  test("exclude a ban that expired while they were read", async () => {
    const { redis } = fakeRedis({ ban_7: "start_timeout" });
    const store = createBanStore({ ...redis, mget: async (keys) => keys.map(() => null) }, fakeClock(), times);
    expect(await store.bans()).toEqual({ known: true, value: [] });
  });

  test("truncate a long reason", async () => {
    const { redis } = fakeRedis({ ban_7: "x".repeat(5000) });
    const seen = await createBanStore(redis, fakeClock(), times).bans();
    expect(seen).toEqual({ known: true, value: [{ kind: "host", id: 7, reason: "x".repeat(100) }] });
  });

  describe("of pods that share them", () => {
    /** A pod with the bans of `bans`, which somebody can change. */
    function podsOf(data: Record<string, string>) {
      const clock = fakeClock(NOW);
      const fleetRedis = sharedRedis(clock.now);
      const scans: string[] = [];
      const asked: string[] = [];
      const setBack = { ms: 0 };
      const pod = (token: string, database = "//redis:6379/10") => {
        const { redis } = fakeRedis();
        const walked: RedisCommands = {
          ...redis,
          scan: async () => {
            scans.push(token);
            return ["0", Object.keys(data)];
          },
          mget: async (names) => names.map((name) => data[name] ?? null),
        };
        const shared = fleetRedis.connect(clock.sleep);
        const evaluate: typeof shared.evaluate = (script, keys, args) => {
          asked.push(script.name);
          return shared.evaluate(script, keys, args);
        };
        const fleet = { redis: { ...shared, evaluate }, keys: () => fleetKeys(9), token };
        const own = { ...clock, now: () => clock.now() - setBack.ms };
        return createBanStore(walked, own, times, { fleet, database });
      };
      return { clock, pod, scans, asked, data, setBack };
    }
    const idsOf = (seen: Awaited<ReturnType<BanStore["bans"]>>) => seen.known && seen.value.map(({ id }) => id);

    test("are walked once in half a minute for all", async () => {
      const { pod, scans, clock } = podsOf({ ban_7: "start_timeout" });
      const [one, two] = [pod("one"), pod("two")];
      for (let second = 0; second < 60; second += 10) {
        expect(idsOf(await one.bans())).toEqual([7]);
        expect(idsOf(await two.bans())).toEqual([7]);
        await clock.advance(10 * SECOND);
      }
      expect(scans).toHaveLength(2);
    });

    test("are asked for again when they are 25 s old, however often a pod wants them", async () => {
      const { pod, asked, data, clock } = podsOf({ ban_7: "start_timeout" });
      const [one, two] = [pod("one"), pod("two")];
      await one.bans();
      await clock.advance(5 * SECOND);
      await two.bans();
      await clock.advance(20 * SECOND);
      data.ban_8 = "start_timeout";
      expect([idsOf(await one.bans()), idsOf(await two.bans())]).toEqual([[7], [7]]);
      expect(asked).toEqual(["read shared", "write shared", "read shared"]);
      await clock.advance(1);
      expect([idsOf(await one.bans()), idsOf(await two.bans())]).toEqual([
        [7, 8],
        [7, 8],
      ]);
    });

    test("are asked for again after the clock was set back", async () => {
      const { pod, asked, setBack } = podsOf({ ban_7: "start_timeout" });
      const one = pod("one");
      await one.bans();
      const before = asked.length;
      setBack.ms = SECOND;
      await one.bans();
      expect(asked.length).toBeGreaterThan(before);
    });

    test("include at once what this pod has just banned, and not for ever", async () => {
      const { pod, clock } = podsOf({});
      const [one, two] = [pod("one"), pod("two")];
      await two.bans();
      await clock.advance(SECOND);
      await one.ban("machine", 8, "host_failed");
      expect(await one.bans()).toEqual({ known: true, value: [{ kind: "machine", id: 8, reason: "host_failed" }] });
      expect(idsOf(await two.bans())).toEqual([]);
      await clock.advance(30 * SECOND);
      expect(idsOf(await one.bans())).toEqual([]); // somebody has deleted it
    });

    test("end within half a minute for all when somebody deletes them", async () => {
      const { pod, clock, data } = podsOf({ ban_7: "start_timeout" });
      const [one, two] = [pod("one"), pod("two")];
      await one.bans();
      delete data.ban_7;
      await clock.advance(30 * SECOND);
      expect([idsOf(await one.bans()), idsOf(await two.bans())]).toEqual([[], []]);
    });

    test("are not mixed with those of another database", async () => {
      const { pod, scans } = podsOf({ ban_7: "start_timeout" });
      await pod("one").bans();
      await pod("two", "//redis:6379/11").bans();
      expect(scans).toEqual(["one", "two"]);
    });
  });

  test("are known and empty when there are none", async () => {
    expect(await createBanStore(fakeRedis().redis, fakeClock(), times).bans()).toEqual({ known: true, value: [] });
  });

  test("are unknown, not empty, while Redis is unreachable", async () => {
    const store = createBanStore({ ...fakeRedis().redis, scan: unreachable }, fakeClock(), times);
    expect(await store.bans()).toEqual({
      known: false,
      why: { message: "Redis is unreachable", account: null },
    });
  });

  test("are unknown when the walk does not end within its deadline", async () => {
    const clock = fakeClock();
    const scan: RedisCommands["scan"] = async () => {
      await clock.sleep(500);
      return ["1", []];
    };
    const began = clock.now();
    const seen = await clock.drive(createBanStore({ ...fakeRedis().redis, scan }, clock, times).bans());
    expect(seen).toMatchObject({ known: false, why: { message: expect.stringContaining("3000 ms") } });
    expect(clock.now() - began).toBe(3000);
  });

  test("are unknown at the deadline even when Redis then never answers", async () => {
    const clock = fakeClock();
    const scan: RedisCommands["scan"] = () => new Promise(() => undefined);
    const began = clock.now();
    const seen = await clock.drive(createBanStore({ ...fakeRedis().redis, scan }, clock, times).bans());
    expect(seen.known).toBe(false);
    expect(clock.now() - began).toBe(3000);
  });

  test("are written under the key of host or machine with reason and time to live", async () => {
    const { redis, written } = fakeRedis();
    await createBanStore(redis, fakeClock(), times).ban("host", 77001, "start_timeout");
    await createBanStore(redis, fakeClock(), times).ban("machine", 4821, "host_failed");
    expect(written).toEqual([
      ["setWithTtl", "ban_77001", "start_timeout", 604_800],
      ["setWithTtl", "ban_machine_4821", "host_failed", 604_800],
    ]);
  });
});

describe("waiting times and restart counters", () => {
  test("are read as earlier deployments wrote them", async () => {
    const { redis } = fakeRedis({ wait_5: "1795446000", restarts_5: "3" });
    const counters = await createBanStore(redis, fakeClock(), times).counters([5, 6]);
    expect(counters).toEqual(
      new Map([
        [5, { waitingSince: 1_795_446_000_000, restarts: 3 }],
        [6, { waitingSince: null, restarts: 0 }],
      ]),
    );
  });

  test("are read also with fractions of a second, as earlier deployments wrote them", async () => {
    const { redis } = fakeRedis({ wait_5: "1795446000.25" });
    const counters = await createBanStore(redis, fakeClock(), times).counters([5]);
    expect(counters.get(5)?.waitingSince).toBe(1_795_446_000_250);
  });

  test.each([
    ["soon", "-1"],
    ["", ""],
    ["5", "1e9"],
    ["-1795446000", "2.5"],
    ["Infinity", "99999999999999999999"],
    ["1795446000x", " 7"],
  ])("ignore a stored text that is not a time or not a count: %j, %j", async (wait, restarts) => {
    const { redis } = fakeRedis({ wait_5: wait, restarts_5: restarts });
    const counters = await createBanStore(redis, fakeClock(), times).counters([5]);
    expect(counters.get(5)).toEqual({ waitingSince: null, restarts: 0 });
  });

  test("replace a value that is not a time, and keep an earlier time", async () => {
    const garbage = fakeRedis({ wait_5: "soon" });
    await createBanStore(garbage.redis, fakeClock(), times).startWaiting(5, NOW);
    expect(garbage.written.at(-1)).toEqual(["setWithTtl", "wait_5", String(NOW / 1000), 86_400]);
    const earlier = fakeRedis({ wait_5: "1795446000" });
    await createBanStore(earlier.redis, fakeClock(), times).startWaiting(5, NOW);
    expect(earlier.written.map(([command]) => command)).toEqual(["setIfAbsent"]);
  });

  test("replace a stored start of waiting by a later one", async () => {
    const stored = fakeRedis({ wait_5: "1795446000" });
    await createBanStore(stored.redis, fakeClock(), times).postponeWaiting(5, NOW + 999);
    expect(stored.written).toEqual([["setWithTtl", "wait_5", String(NOW / 1000), 86_400]]);
  });

  test("start again when the counter's key held something else", async () => {
    const { redis, written } = fakeRedis();
    const add = async () => {
      throw new Error("WRONGTYPE Operation against a key holding the wrong kind of value");
    };
    await createBanStore({ ...redis, add }, fakeClock(), times).countRestarts(5, 1);
    expect(written).toEqual([["setWithTtl", "restarts_5", "1", 3600]]);
    await expect(
      createBanStore({ ...redis, add: unreachable }, fakeClock(), times).countRestarts(5, 1),
    ).rejects.toThrow();
  });

  test("are missing, not zero, while Redis is unreachable", async () => {
    const store = createBanStore({ ...fakeRedis().redis, mget: unreachable }, fakeClock(), times);
    expect(await store.counters([5])).toEqual(new Map());
  });

  test("send no command when there is no instance", async () => {
    const store = createBanStore({ ...fakeRedis().redis, mget: unreachable }, fakeClock(), times);
    expect(await store.counters([])).toEqual(new Map());
  });

  test("keep an earlier start of waiting, in epoch seconds, for longer than the wait can last", async () => {
    const { redis, written } = fakeRedis();
    await createBanStore(redis, fakeClock(), times).startWaiting(5, NOW + 999);
    expect(written).toEqual([["setIfAbsent", "wait_5", String(NOW / 1000), 86_400]]);
  });

  test("keep a start of waiting twice as long as a long wait", async () => {
    const { redis, written } = fakeRedis();
    await createBanStore(redis, fakeClock(), { ...times, banAfterSeconds: 100_000 }).startWaiting(5, NOW);
    expect(written[0]?.[3]).toBe(200_000);
  });

  test("forget the waiting time of an instance that is ready", async () => {
    const { redis, written } = fakeRedis();
    await createBanStore(redis, fakeClock(), times).stopWaiting(5);
    expect(written).toEqual([["remove", "wait_5"]]);
  });

  test("are forgotten a while after the last restart", async () => {
    const { redis, written } = fakeRedis();
    await createBanStore(redis, fakeClock(), times).countRestarts(5, 2);
    expect(written).toEqual([["add", "restarts_5", 2, 3600]]);
  });
});

test("without a ban store nothing is banned and nothing is counted", async () => {
  expect(await noBans.bans()).toEqual({ known: true, value: [] });
  expect(await noBans.counters([5])).toEqual(new Map());
});
