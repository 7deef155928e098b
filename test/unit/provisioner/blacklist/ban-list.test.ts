import { expect, test } from "vitest";
import { addBan, type BanListCommands, listBans, removeBan } from "../../../../provisioner/blacklist/ban-list.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";

/** A Redis whose keys have a value and a time to live in ms (-1: none). */
function fakeRedis(keys: Map<string, { value: string; leftMs: number }>): BanListCommands {
  return {
    scan: async () => ["0", [...keys.keys()]],
    peek: async (key) => keys.get(key) ?? { value: null, leftMs: -2 },
    setWithTtl: async (key, value, seconds) => void keys.set(key, { value, leftMs: seconds * 1000 }),
    remove: async (key) => void keys.delete(key),
  };
}

test("bans are listed with their ends, hosts first", async () => {
  const clock = fakeClock();
  const keys = new Map([
    ["ban_machine_8", { value: "host_failed", leftMs: 5000 }],
    ["ban_7", { value: "by hand", leftMs: -1 }],
    ["ban_3", { value: "start_timeout", leftMs: 60_000 }],
    ["ban_x", { value: "no ban", leftMs: -1 }],
  ]);
  expect(await listBans(fakeRedis(keys), clock)).toEqual([
    { kind: "host", id: 3, reason: "start_timeout", until: clock.now() + 60_000 },
    { kind: "host", id: 7, reason: "by hand", until: null },
    { kind: "machine", id: 8, reason: "host_failed", until: clock.now() + 5000 },
  ]);
});

test("a ban that expires while it is listed is left out", async () => {
  const redis = { ...fakeRedis(new Map()), scan: async (): Promise<[string, string[]]> => ["0", ["ban_3"]] };
  expect(await listBans(redis, fakeClock())).toEqual([]);
});

test("a ban is added under the key that the provisioner reads, and removed", async () => {
  const keys = new Map<string, { value: string; leftMs: number }>();
  const redis = fakeRedis(keys);
  await addBan(redis, { kind: "host", id: 7, reason: "slow" }, 60);
  await addBan(redis, { kind: "machine", id: 8, reason: "slow" }, 60);
  expect([...keys]).toEqual([
    ["ban_7", { value: "slow", leftMs: 60_000 }],
    ["ban_machine_8", { value: "slow", leftMs: 60_000 }],
  ]);
  expect(await removeBan(redis, { kind: "host", id: 8 })).toBe(false);
  expect(await removeBan(redis, { kind: "host", id: 7 })).toBe(true);
  expect([...keys.keys()]).toEqual(["ban_machine_8"]);
});
