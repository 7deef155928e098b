// Lease and bans in a real Redis behind Sentinels, and over TLS: the provisioner goes on after a failover.
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Child } from "../sandbox/child.ts";
import { startRedis } from "../sandbox/redis.ts";
import { startSentinels } from "../sandbox/redis-sentinel.ts";
import { ROOT } from "../sandbox/sandbox.ts";
import { until } from "../sandbox/until.ts";
import { logOf, openPod, type Pod } from "./pod.ts";

const PASSWORDS = { redis: "redis-password-2Wq", sentinel: "sentinel-password-6Zx" };
const BAD = 7001;
const TLS = join(ROOT, "test/integration/tls");

let pod: Pod;
beforeEach(async () => {
  pod = await openPod();
});
afterEach(() => pod.close());

/** Waits for the warning about Redis. On a busy machine another one may come first: that Redis has not answered in time. */
const warned = (program: Child, text: RegExp) => {
  const isIt = ({ event, level, msg }: Record<string, unknown>) =>
    event === "redis" && level === "warn" && text.test(String(msg));
  const context = () => program.lines.join("\n");
  return until(`the log says ${text}`, () => logOf(program).some(isIt), { timeoutMs: 30_000, context });
};

test("after a failover the provisioner holds its lease on the new primary and writes its bans there", async () => {
  const { url, primary, replica } = await startSentinels(pod.sandbox, PASSWORDS);
  await pod.emulator.send("PUT", "offers", [
    { id: 601, dph_base: 0.1, host_id: BAD, machine_id: 71 },
    { id: 603, dph_base: 0.5, host_id: 7002, machine_id: 73 },
  ]);
  await pod.emulator.send("POST", `hosts/${BAD}`, { neverBoots: true });
  const env = { BLACKLIST_ENABLED: "true", BLACKLIST_REDIS_URL: url, BLACKLIST_BAN_AFTER_SECONDS: "200" };
  const provisioner = await pod.provision(env);
  const isMade = async () => (await pod.emulator.live(pod.label))[0]?.host_id === BAD;
  await until("an instance is waited for", isMade, { timeoutMs: 30_000, context: () => provisioner.lines.join("\n") });

  primary.server.signal("SIGKILL");
  const isPromoted = () => replica.ask(async (next) => (await next.info("replication")).includes("role:master"));
  await until("the replica is the primary", isPromoted, { timeoutMs: 60_000 });
  // Its clock runs at real speed: the lease would have expired without being renewed.
  await replica.ask((next) => next.pexpire(pod.keys.lease(pod.label), 2000));
  const isRenewed = () => replica.ask(async (next) => (await next.pttl(pod.keys.lease(pod.label))) > 30_000);
  await until("the lease is renewed there", isRenewed, { timeoutMs: 30_000 });
  const isBanned = () => replica.ask((next) => next.get(`ban_${BAD}`));
  await until("the host is banned there", isBanned, { timeoutMs: 60_000 });
  expect((await pod.ready(60_000)).instance?.hostId).not.toBe(BAD);
  expect(logOf(provisioner).map(({ msg }) => msg)).toContain("Redis is back");
  const printed = provisioner.lines.join("\n");
  for (const password of Object.values(PASSWORDS)) expect(printed).not.toContain(password);
});

test("Sentinels that refuse the login or do not know the primary are named, with what to do", async () => {
  const { url } = await startSentinels(pod.sandbox, PASSWORDS);
  const wrong = await pod.provision({ FLEET_REDIS_URL: url.replace(PASSWORDS.sentinel, "wrong-password") });
  await warned(
    wrong,
    /^the Sentinels of Redis refuse the login: .*correct sentinelUsername and sentinelPassword in FLEET_/,
  );
  await wrong.stop();
  const unknown = await pod.provision({ FLEET_REDIS_URL: url.replace("/main/", "/other/") });
  await warned(unknown, /^no Sentinel of Redis names the primary: .*by the name in FLEET_REDIS_URL/);
});

test("a Redis over TLS is used when its certificate authority is trusted, and otherwise the remedy is named", async () => {
  const port = await pod.sandbox.port();
  const files = ["--tls-cert-file", `${TLS}/instance.pem`, "--tls-key-file", `${TLS}/instance.key`];
  const tls = ["--tls-port", String(port), "--tls-ca-cert-file", `${TLS}/ca.pem`, "--tls-auth-clients", "no", ...files];
  const { port: plain } = await startRedis(pod.sandbox, { args: [...tls, "--requirepass", PASSWORDS.redis] });
  const env = { FLEET_REDIS_URL: `rediss://localhost:${port}/10`, FLEET_REDIS_PASSWORD: PASSWORDS.redis };
  const refused = await pod.provision(env);
  await warned(refused, /^the certificate of Redis is not accepted: .*NODE_EXTRA_CA_CERTS/);
  await refused.stop();
  await pod.provision({ ...env, NODE_EXTRA_CA_CERTS: `${TLS}/ca.pem` });
  await pod.ready(60_000);
  const redis = new Redis({ host: "127.0.0.1", port: plain, password: PASSWORDS.redis, db: 10 });
  expect(await redis.exists(pod.keys.lease(pod.label))).toBe(1);
  redis.disconnect();
  expect(await pod.everything()).not.toContain(PASSWORDS.redis);
});
