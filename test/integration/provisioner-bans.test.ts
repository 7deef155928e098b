// Bans of hosts whose instances never come up, with a real Redis.
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startRedis } from "../sandbox/redis.ts";
import { until } from "../sandbox/until.ts";
import { openPod, type Pod } from "./pod.ts";

let pod: Pod;
let redis: Redis;
const GOOD = 7002;
const BAD = 7001;
// A good host is ready after half a real second, and a busy machine needs some more to notice it.
const BAN_AFTER = "80";

beforeEach(async () => {
  pod = await openPod({ redis: true });
  redis = new Redis(pod.redis?.url ?? "");
  redis.on("error", () => undefined); // one test stops the server
  // The bad host has the cheapest offer, which always comes first.
  await pod.emulator.send("PUT", "offers", [
    { id: 601, dph_base: 0.1, host_id: BAD, machine_id: 71 },
    { id: 602, dph_base: 0.1, host_id: BAD, machine_id: 72 },
    { id: 603, dph_base: 0.5, host_id: GOOD, machine_id: 73 },
    { id: 604, dph_base: 0.6, host_id: GOOD, machine_id: 74 },
  ]);
});
afterEach(async () => {
  redis.disconnect();
  await pod.close();
});

const hostOf = async () => (await pod.emulator.live(pod.label))[0]?.host_id;

test("bans a host that takes longer than BLACKLIST_BAN_AFTER_SECONDS, destroys its instance and uses another host", async () => {
  await pod.emulator.send("POST", `hosts/${BAD}`, { neverBoots: true });
  await pod.provision({ BLACKLIST_BAN_AFTER_SECONDS: BAN_AFTER, BLACKLIST_BAN_TTL_SECONDS: "1000" });
  const file = await pod.ready(40_000);
  expect(file.instance?.hostId).toBe(GOOD);
  expect(await redis.get(`ban_${BAD}`)).toBe("start_timeout");
  const ttl = await redis.ttl(`ban_${BAD}`);
  expect(ttl).toBeGreaterThan(900);
  expect(ttl).toBeLessThanOrEqual(1000);
  expect((await pod.emulator.live(pod.label)).map((i) => i.host_id)).toEqual([GOOD]);
});

test("replaces an instance that does not come up, without a ban, when bans are disabled", async () => {
  await pod.emulator.send("POST", `hosts/${BAD}`, { neverBoots: true });
  await pod.provision({ BLACKLIST_ENABLED: "false", BLACKLIST_BAN_AFTER_SECONDS: BAN_AFTER });
  const file = await pod.ready(50_000);
  // The host's second offer is on another machine and is tried too.
  expect(file.instance?.hostId).toBe(GOOD);
  expect(await redis.keys("*")).toEqual([]);
});

test("keeps an instance's waiting time when the provisioner restarts, even if its state file is lost", async () => {
  await pod.emulator.send("POST", `hosts/${BAD}`, { neverBoots: true });
  const first = await pod.provision({ BLACKLIST_BAN_AFTER_SECONDS: "1000" });
  const id = await until("an instance is waited for", async () => (await pod.emulator.live(pod.label))[0]?.id);
  const since = await until("its waiting time is stored", () => redis.get(`wait_${id}`));
  // Epoch seconds, of a clock that runs eight times as fast as this one.
  expect(Math.abs(Number(since) - Date.now() / 1000)).toBeLessThan(3600);
  first.signal("SIGKILL");
  await first.exited;
  await redis.set(`wait_${id}`, Number(since) - 2000);
  await redis.del(pod.keys.lease(pod.label)); // it would expire, but Redis' clock is not sped up
  await pod.provision({ BLACKLIST_BAN_AFTER_SECONDS: "1000", STATE_PATH: `${pod.statePath}.new` });
  await until("the host is banned", () => redis.get(`ban_${BAD}`));
  await until("the good host is taken", async () => (await hostOf()) === GOOD, { timeoutMs: 30_000 });
});

test("bans a host after more than BLACKLIST_RESTART_THRESHOLD starts that find its instance, and keeps the instance while it serves", async () => {
  const settings = { BLACKLIST_RESTART_THRESHOLD: "2", BLACKLIST_RESTART_TTL_SECONDS: "500" };
  const first = await pod.provision(settings);
  const ready = await pod.ready();
  await first.stop();
  const id = ready.instance?.id;
  for (const restarts of [1, 2, 3]) {
    const again = await pod.provision(settings);
    await until(`restart ${restarts} is counted`, async () => (await redis.get(`restarts_${id}`)) === String(restarts));
    if (restarts < 3) expect(await redis.get(`ban_${BAD}`)).toBeNull();
    else
      await until("the host is banned", async () => (await redis.get(`ban_${BAD}`)) === "too_many_restarts", {
        timeoutMs: 50_000,
      });
    await again.stop();
  }
  expect(await redis.ttl(`restarts_${id}`)).toBeGreaterThan(400);
  expect((await pod.emulator.live(pod.label)).map((i) => i.id)).toEqual([id]);
});

test("counts each time a ready instance was lost and came back within its grace", async () => {
  await pod.provision();
  const ready = await pod.ready();
  const restarts = () => redis.get(`restarts_${ready.instance?.id}`);
  for (const count of ["1", "2"]) {
    await pod.emulator.event("any", "exit");
    await pod.until("it is lost", (f) => f.reason === "instance_lost");
    await pod.emulator.event("any", "recover");
    expect((await pod.ready()).instance?.id).toBe(ready.instance?.id);
    await until(`restart ${count} is counted`, async () => (await restarts()) === count);
  }
  expect(await redis.get(`ban_${BAD}`)).toBeNull();
});

test("BLACKLIST_SCOPE=machine bans only the machine and tries another machine of the host", async () => {
  await pod.emulator.send("POST", `hosts/${BAD}`, { neverBoots: true });
  await redis.set(`ban_${GOOD}`, "by hand");
  await pod.provision({ BLACKLIST_BAN_AFTER_SECONDS: BAN_AFTER, BLACKLIST_SCOPE: "machine" });
  await until("both machines are banned", async () => (await redis.keys("ban_machine_*")).length === 2, {
    timeoutMs: 40_000,
  });
  expect(await redis.mget("ban_machine_71", "ban_machine_72", `ban_${BAD}`)).toEqual([
    "start_timeout",
    "start_timeout",
    null,
  ]);
  // Bans of both kinds apply, so no offer is left.
  const blocked = await pod.until("nothing is left", (f) => f.reason === "no_offer", 40_000);
  expect(blocked.server).toBeNull();
  const searches = (await pod.emulator.requests()).filter((r) => r.path === "/api/v0/bundles/");
  expect(searches.map((search) => search.body)).toContainEqual(
    expect.objectContaining({
      host_id: { notin: [GOOD] },
      machine_id: { notin: expect.arrayContaining([71, 72]) },
    }),
  );
});

test("keeps serving while Redis hangs, logs it once and counts it", async () => {
  const provisioner = await pod.provision();
  const ready = await pod.ready();
  const linesBefore = provisioner.lines.length; // a busy machine may have delayed Redis before
  pod.redis?.server.signal("SIGSTOP");
  const metrics = async () => (await fetch(`http://127.0.0.1:${pod.env().PROVISIONER_STATUS_PORT}/metrics`)).text();
  await until("the outage is noticed", async () => /^vast_pod_redis_up 0$/m.test(await metrics()), {
    timeoutMs: 20_000,
  });
  const passes = Number((await pod.status()).passes);
  await until("many passes", async () => Number((await pod.status()).passes) >= passes + 20, { timeoutMs: 40_000 });
  expect(await pod.upstream()).toMatchObject({ state: "ready", server: ready.server });
  const logged = provisioner.lines.slice(linesBefore).filter((line) => line.includes("Redis is unreachable: "));
  expect(logged).toHaveLength(1);
  pod.redis?.server.signal("SIGCONT");
  await until("it is over", async () => /^vast_pod_redis_up 1$/m.test(await metrics()), { timeoutMs: 20_000 });
  expect(await metrics()).toMatch(/^vast_pod_redis_last_error_timestamp_seconds\{kind="timeout"\} \d/m);
  expect((await pod.emulator.state()).instances).toHaveLength(1);
});

test("never uses an offer of a banned host", async () => {
  await redis.set(`ban_${BAD}`, "by hand");
  await pod.provision();
  expect((await pod.ready()).instance?.hostId).toBe(GOOD);
  const search = (await pod.emulator.requests()).find((r) => r.path === "/api/v0/bundles/");
  expect(search?.body).toMatchObject({ host_id: { notin: [BAD] } });
});

test("continues with a message while Redis is down, and applies the bans when it is back", async () => {
  const port = pod.redis?.port ?? 0;
  await redis.set(`ban_${BAD}`, "by hand");
  await pod.redis?.server.stop();
  const provisioner = await pod.provision();
  await pod.until("it waits for Redis", (f) => f.reason === "owner_unknown");
  expect(provisioner.lines.join("\n")).toContain("Redis is unreachable");
  const back = await startRedis(pod.sandbox, { port });
  const again = new Redis(back.url);
  await again.set(`ban_${BAD}`, "by hand");
  expect((await pod.ready(60_000)).instance?.hostId).toBe(GOOD);
  again.disconnect();
});

test("bans a host while Redis is down: at once for this pod, and in Redis when it is back", async () => {
  const port = pod.redis?.port ?? 0;
  await pod.emulator.send("POST", `hosts/${BAD}`, { neverBoots: true });
  const provisioner = await pod.provision({ BLACKLIST_BAN_AFTER_SECONDS: BAN_AFTER });
  await until("an instance is waited for", async () => (await hostOf()) === BAD);
  await pod.redis?.server.stop();
  expect((await pod.ready(90_000)).instance?.hostId).toBe(GOOD);
  expect(provisioner.lines.join("\n")).toContain(`host ${BAD} is banned locally (start_timeout)`);
  const back = await startRedis(pod.sandbox, { port });
  const again = new Redis(back.url);
  await until("the ban is in Redis", () => again.get(`ban_${BAD}`), { timeoutMs: 30_000 });
  expect(await again.get(`ban_${BAD}`)).toBe("start_timeout");
  await until("it is owed no more", async () => JSON.stringify((await pod.state()).unwrittenBans) === "[]");
  again.disconnect();
});
