// The ban store on a real Redis, and a pass when Redis is slow, down, read-only, full or has foreign keys.
import { connect, type Socket } from "node:net";
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Clock, systemClock } from "../../common/clock.ts";
import { createLogger } from "../../common/logging.ts";
import { type BanStore, createBanStore } from "../../provisioner/blacklist/store.ts";
import { connectRedis, type RedisConnection } from "../../provisioner/redis/connection.ts";
import { type RunningRedis as RedisServer, startRedis } from "../sandbox/redis.ts";
import { openSandbox, type Sandbox } from "../sandbox/sandbox.ts";
import { until } from "../sandbox/until.ts";
import { addressOf } from "./redis-address.ts";

const PASSWORD = "redis-password-5Rt";
// How long a pass may wait for Redis in total, reads and writes.
const LONGEST_PASS_MS = 3000;

let sandbox: Sandbox;
let server: RedisServer;
/** A connection of the operator. */
let admin: Redis;
let opened: RedisConnection[];
let lines: string[];
/** How far the store's clock is set ahead, to skip the pause after a failure. */
let aheadMs: number;
const clock = { now: () => Date.now() + aheadMs, monotonic: systemClock.monotonic, sleep: systemClock.sleep };

beforeEach(async () => {
  sandbox = await openSandbox();
  server = await startRedis(sandbox);
  admin = new Redis(server.url);
  admin.on("error", () => undefined); // some tests stop the server
  opened = [];
  lines = [];
  aheadMs = 0;
});
afterEach(async () => {
  for (const connection of opened) connection.close();
  admin.disconnect();
  server.server.signal("SIGCONT");
  await sandbox.close();
});

function open(url = server.url, time: Clock = clock): { store: BanStore; connection: RedisConnection } {
  const destination = { write: (line: string) => void lines.push(line) };
  const log = createLogger({ app: "test", debug: true, secrets: () => [], destination });
  const connection = connectRedis(addressOf(url), log, clock);
  opened.push(connection);
  const times = { banTtlSeconds: 1000, restartTtlSeconds: 500, banAfterSeconds: 30 };
  return { store: createBanStore(connection, time, times), connection };
}

/** Everything that a pass may ask of the store; returns how long it took and the results of the writes. */
async function pass(store: BanStore) {
  const began = performance.now();
  const [bans] = await Promise.all([store.bans(), store.counters([5])]);
  const writes = [
    () => store.startWaiting(5, Date.now()),
    () => store.countRestarts(5, 1),
    () => store.ban("host", 77001, "start_timeout"),
    () => store.stopWaiting(5),
  ];
  let refused = 0;
  for (const write of writes) await write().catch(() => (refused += 1));
  const ms = performance.now() - began;
  aheadMs += 5000;
  return { bans, refused, ms };
}
const said = () =>
  lines
    .map((line) => JSON.parse(line) as { level: string; msg: string })
    .filter((line) => line.level !== "debug")
    .map((line) => line.msg);

/** Several passes while Redis is down: each is short, the bans are unknown, and the log has one line. */
async function staysAway(store: BanStore) {
  for (let i = 0; i < 3; i += 1) {
    const { bans, refused, ms } = await pass(store);
    expect(bans).toMatchObject({ known: false, why: { message: "Redis is unreachable" } });
    expect(refused).toBe(4);
    expect(ms).toBeLessThan(LONGEST_PASS_MS);
  }
  expect(said()).toEqual([expect.stringMatching(/^Redis is unreachable: .*BLACKLIST_REDIS_URL/)]);
}
const isBack = async (store: BanStore) =>
  until("the bans are known again", async () => (await store.bans()).known, { timeoutMs: 15_000 });

test("a hanging server does not delay a pass, is logged once, and is used again when it recovers", async () => {
  const { store, connection } = open();
  expect((await pass(store)).refused).toBe(0);
  server.server.signal("SIGSTOP");
  await staysAway(store);
  expect(connection.health.up()).toBe(false);
  server.server.signal("SIGCONT");
  await isBack(store);
  expect(connection.health.up()).toBe(true);
  expect(said().at(-1)).toBe("Redis is back");
});

test("a server that hangs from the start does not delay a pass", async () => {
  server.server.signal("SIGSTOP");
  await staysAway(open().store);
});

test("a port that drops every packet does not delay a pass", async () => {
  const port = await sandbox.port();
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--tcp-backlog", "1", "--save", ""];
  const hole = await sandbox.start({ name: "hole", program: "redis-server", args });
  const reached = () =>
    new Promise<Socket | null>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(socket));
      socket.once("error", () => resolve(null));
      socket.setTimeout(500, () => resolve(null));
    });
  await until("it listens", reached);
  hole.signal("SIGSTOP");
  const sockets: Socket[] = [];
  try {
    // When its queue is full, the kernel drops further packets.
    await until("nothing gets through", async () => {
      const socket = await reached();
      if (socket !== null) sockets.push(socket);
      return socket === null;
    });
    await staysAway(open(`redis://127.0.0.1:${port}/10`).store);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
});

test("a stopped server does not delay a pass, and a new one on the same port is used", async () => {
  const { store } = open();
  await pass(store);
  server.server.signal("SIGKILL");
  await server.server.exited;
  await staysAway(store);
  server = await startRedis(sandbox, { port: server.port });
  await isBack(store);
  expect(said()).toEqual([expect.stringContaining("Redis is unreachable"), "Redis is back"]);
});

test("a command that failed while there was no connection is not carried out later", async () => {
  const { connection } = open();
  await connection.setWithTtl("turns", "1", 1000);
  server.server.signal("SIGKILL");
  await server.server.exited;
  const attempts = [1, 2, 3].map(() => {
    aheadMs += 5000;
    return connection.add("turns", 1, 1000);
  });
  for (const attempt of attempts) await expect(attempt).rejects.toThrow();
  server = await startRedis(sandbox, { port: server.port });
  await until("Redis is back", () => connection.mget(["other"]).then(() => true), { timeoutMs: 15_000 });
  expect(await connection.mget(["turns"])).toEqual([null]);
});

test("a slow server is used", async () => {
  const { store } = open();
  await pass(store);
  await admin.call("CLIENT", "PAUSE", "600", "ALL");
  expect((await store.bans()).known).toBe(true);
  expect(said()).toEqual([]);
});

test.each([
  ["read-only", () => admin.replicaof("127.0.0.1", 1), () => admin.replicaof("NO", "ONE"), /refuses writes.*primary/],
  [
    "full",
    () => admin.config("SET", "maxmemory", "1"),
    () => admin.config("SET", "maxmemory", "0"),
    /out of memory.*maxmemory/,
  ],
])("a server that is %s still tells the bans; that nothing is kept is told once", async (_, begin, end, text) => {
  await admin.set("ban_7", "by hand");
  const { store } = open();
  await begin();
  for (let i = 0; i < 3; i += 1) {
    const { bans, refused } = await pass(store);
    expect(bans).toEqual({ known: true, value: [{ kind: "host", id: 7, reason: "by hand" }] });
    expect(refused).toBeGreaterThanOrEqual(3); // a full server still accepts deletions
  }
  expect(said()).toHaveLength(1);
  expect(said()[0]).toMatch(text);
  await end();
  await until("it is written again", async () => (await pass(store)).refused === 0);
  expect(await admin.get("ban_77001")).toBe("start_timeout");
  expect(await admin.ttl("ban_77001")).toBeGreaterThan(990);
});

test("a wrong password is logged once, without the password", async () => {
  await admin.config("SET", "requirepass", "another");
  const { store } = open(server.url.replace("//", `//:${PASSWORD}@`));
  for (let i = 0; i < 3; i += 1) {
    const { bans, ms } = await pass(store);
    expect(bans).toMatchObject({ known: false, why: { message: "Redis refuses the login" } });
    expect(ms).toBeLessThan(LONGEST_PASS_MS);
  }
  expect(said()).toEqual([expect.stringContaining("correct the user in BLACKLIST_REDIS_URL and the password")]);
  await admin.config("SET", "requirepass", PASSWORD);
  await isBack(store);
  expect(lines.join("")).not.toContain(PASSWORD);
});

test("a database that the server does not have is an error, not database 0", async () => {
  const { store } = open(server.url.replace("/10", "/99"));
  const { bans, refused } = await pass(store);
  expect(bans).toMatchObject({ known: false, why: { message: "Redis has no database with this number" } });
  expect(refused).toBe(4);
  await admin.select(0);
  expect(await admin.dbsize()).toBe(0);
  expect(said()).toEqual([expect.stringContaining("the number at the end of BLACKLIST_REDIS_URL")]);
});

test("keys of another type are ignored as bans and counts, and a new count replaces them", async () => {
  await admin.rpush("ban_5", "x");
  await admin.rpush("wait_5", "x");
  await admin.hset("restarts_5", "a", "b");
  await admin.set("wait_6", "soon");
  await admin.set("restarts_6", "many");
  const { store } = open();
  expect(await store.bans()).toEqual({ known: true, value: [] });
  const nothing = { waitingSince: null, restarts: 0 };
  expect([...(await store.counters([5, 6])).values()]).toEqual([nothing, nothing]);
  for (const id of [5, 6]) {
    await store.startWaiting(id, 1_795_446_000_000);
    await store.countRestarts(id, 1);
  }
  await store.countRestarts(6, 2);
  await store.ban("host", 5, "host_failed");
  expect([...(await store.counters([5, 6])).values()]).toEqual([
    { waitingSince: 1_795_446_000_000, restarts: 1 },
    { waitingSince: 1_795_446_000_000, restarts: 3 },
  ]);
  expect(await store.bans()).toEqual({ known: true, value: [{ kind: "host", id: 5, reason: "host_failed" }] });
  for (const key of ["wait_5", "restarts_5", "wait_6", "restarts_6", "ban_5"])
    expect(await admin.ttl(key)).toBeGreaterThan(0);
  expect(said()).toEqual([]);
});

test("100,000 foreign keys are scanned in time, without KEYS", async () => {
  await admin.set("ban_7", "by hand");
  await admin.set("ban_machine_8", "by hand");
  // A script writes them inside Redis: 100,000 calls would take too long.
  await admin.eval("for i = 1, 100000 do redis.call('SET', 'session:' .. i, i) end", 0);
  // The limit of 3 s must not depend on what else this machine does: what counts is how few calls are needed.
  const sleep: Clock["sleep"] = (ms, signal) => clock.sleep(ms * 20, signal);
  const slow: Clock = { ...clock, monotonic: () => clock.monotonic() / 20, sleep };
  const { store } = open(server.url, slow);
  const { bans } = await pass(store);
  expect(bans).toMatchObject({ known: true });
  expect(bans.known && bans.value.map((ban) => `${ban.kind} ${ban.id}`).sort()).toEqual(["host 7", "machine 8"]);
  const used = await admin.info("commandstats");
  expect(Number(/cmdstat_scan:calls=(\d+)/.exec(used)?.[1])).toBeLessThan(150); // a millisecond each
  expect(used).not.toContain("cmdstat_keys");
});
