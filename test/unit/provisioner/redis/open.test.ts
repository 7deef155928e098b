import { expect, test } from "vitest";
import { type RedisAddress, redisAddresses } from "../../../../provisioner/redis/address.ts";
import type { RedisConnection } from "../../../../provisioner/redis/connection.ts";
import { openAll } from "../../../../provisioner/redis/open.ts";
import type { RedisTrouble } from "../../../../provisioner/redis/trouble.ts";
import type { RedisTarget } from "../../../../provisioner/redis/url.ts";

const target = (host: string): RedisTarget => ({
  kind: "server",
  tls: false,
  username: null,
  password: null,
  server: { host, port: 6379 },
  database: 0,
});

/** Connections whose health a test sets. */
async function opened(fleet: RedisTarget | null, bans: RedisTarget | null) {
  const made: { address: RedisAddress; up: boolean; failures: Map<RedisTrouble, number>; closed: number }[] = [];
  const connections = await openAll(redisAddresses(fleet, bans), async (address) => {
    const one = { address, up: true, failures: new Map<RedisTrouble, number>(), closed: 0 };
    made.push(one);
    const unused = async () => {
      throw new Error("no command was expected");
    };
    const connection: RedisConnection = {
      scan: unused,
      mget: unused,
      setWithTtl: unused,
      setIfAbsent: unused,
      remove: unused,
      add: unused,
      claim: unused,
      peek: unused,
      setWhileMine: unused,
      removeMine: unused,
      evaluate: unused,
      health: { up: () => one.up, failures: () => one.failures },
      close() {
        one.closed += 1;
      },
    };
    return connection;
  });
  return { ...connections, made };
}

test("no Redis is connected without settings", async () => {
  const { made, bans, fleet, health } = await opened(null, null);
  expect([made.length, bans, fleet, health]).toEqual([0, null, null, null]);
});

test("one connection serves bans and fleet where both are in one Redis", async () => {
  const { made, bans, fleet, close } = await opened(target("a"), target("a"));
  expect(made).toHaveLength(1);
  expect(bans).toBe(fleet);
  close();
  expect(made[0]?.closed).toBe(1);
});

test("two servers have a connection each; Redis is up while both are, and the latest failure of each kind counts", async () => {
  const { made, bans, fleet, health, close } = await opened(target("a"), target("b"));
  expect(bans).not.toBe(fleet);
  const [first, second] = made;
  if (first === undefined || second === undefined) throw new Error("two connections were expected");
  expect(health?.up()).toBe(true);
  second.up = false;
  expect(health?.up()).toBe(false);
  first.failures.set("auth", 5);
  second.failures.set("auth", 7).set("full", 3);
  expect([...(health?.failures() ?? [])]).toEqual([
    ["auth", 7],
    ["full", 3],
  ]);
  close();
  expect(made.map(({ closed }) => closed)).toEqual([1, 1]);
});
