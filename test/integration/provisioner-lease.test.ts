// Two provisioners with one label and their own volumes, with a real Redis: one acts, the other waits.
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../common/clock.ts";
import { createLogger } from "../../common/logging.ts";
import { connectRedis } from "../../provisioner/redis/connection.ts";
import type { StatusDocument } from "../../provisioner/report/status-document.ts";
import { until } from "../sandbox/until.ts";
import { openPod, type Pod } from "./pod.ts";
import { untilConnected } from "./real-redis.ts";
import { addressOf } from "./redis-address.ts";

let pod: Pod;
let redis: Redis;
let leaseKey = "";

beforeEach(async () => {
  pod = await openPod({ redis: true });
  redis = new Redis(pod.redis?.url ?? "");
  leaseKey = pod.keys.lease(pod.label);
});
afterEach(async () => {
  redis.disconnect();
  await pod.close();
});

/** A second pod of the same name: its own volumes and ports. */
async function other(more: Record<string, string> = {}) {
  const port = String(await pod.sandbox.port());
  const folder = await pod.sandbox.subfolder("other");
  const child = await pod.provision({
    STATE_PATH: `${folder}/provisioner.json`,
    UPSTREAM_PATH: `${folder}/upstream.json`,
    PROVISIONER_STATUS_PORT: port,
    ...more,
  });
  const status = async () =>
    (await fetch(`http://127.0.0.1:${port}/status`)).json() as Promise<Record<string, unknown>>;
  return { child, status };
}

test("one of two provisioners with one label acts, the other is blocked and names it, and serves the same instance", async () => {
  await pod.provision();
  const { instance } = await pod.ready();
  const second = await other({ VAST_TEMPLATE_IMAGE: "example/app:3" }); // without the lease it would replace the instance at once
  const blocked = await until("the second is blocked", async () => {
    const status = await second.status();
    // The reason is that of the pass; the server is what it has published after its own probe.
    return status.reason === "other_owner" && status.server !== null ? status : null;
  });
  expect(blocked).toMatchObject({ state: "blocked", server: { host: "127.0.0.1" } });
  expect(blocked.message).toMatch(/another provisioner, .+ \(pid \d+, started 2\d{3}-/);
  expect((await pod.emulator.live(pod.label)).map((one) => one.id)).toEqual([instance?.id]);
  const changes = (await pod.emulator.requests()).filter((one) => ["PUT", "DELETE"].includes(one.method));
  expect(changes).toHaveLength(1);
});

test("the second takes over when the first was killed and its lease has expired, and knows what the first had started", async () => {
  const first = await pod.provision();
  const { instance } = await pod.ready();
  const second = await other();
  await until("the second is blocked", async () => (await second.status()).reason === "other_owner");
  first.signal("SIGKILL");
  await first.exited;
  expect(await redis.pttl(leaseKey)).toBeGreaterThan(30_000);
  expect((await second.status()).reason).toBe("other_owner");
  await redis.pexpire(leaseKey, 1); // it would expire, but Redis' clock is not sped up
  const owner = await until("the second has the label", async () => {
    const status = await second.status();
    return status.reason === "instance_ready" ? status : null;
  });
  expect(owner).toMatchObject({ budget: { createsLeft: 5 } });
  expect((await pod.emulator.live(pod.label)).map((one) => one.id)).toEqual([instance?.id]);
});

test("a provisioner that has lost its volume counts on from what was paid before", async () => {
  const first = await pod.provision();
  await pod.ready(60_000);
  const paid = (what: string, status: () => Promise<unknown>, more: number) =>
    until(
      what,
      async () => {
        const { money } = (await status()) as StatusDocument;
        return money.paidDollars > more ? money : null;
      },
      { timeoutMs: 60_000 },
    );
  const before = await paid("something is counted", pod.status, 0.0001);
  await first.stop();
  const { status } = await other();
  const after = await paid("it is counted on", status, before.paidDollars);
  expect(after.since).toBe(before.since);
  expect(after.instanceDollars).toBeCloseTo(after.paidDollars);
}, 200_000);

test("a provisioner that was killed and restarts with its volume continues at once", async () => {
  const first = await pod.provision();
  await pod.ready();
  const before = await redis.get(leaseKey);
  first.signal("SIGKILL");
  await first.exited;
  await pod.provision({ VAST_TEMPLATE_IMAGE: "example/app:3" });
  await pod.until("the image is replaced", (file) => file.server !== null && file.instance?.image === "example/app:3");
  const after = await redis.get(leaseKey);
  expect(after?.split(" ")[0]).toBe(before?.split(" ")[0]);
  expect(after).not.toBe(before);
});

test("a provisioner of version 0.1.0 that holds the lease under its former name blocks, and its copy is taken over", async () => {
  const startedAt = Date.now();
  const copy = { schema: 2, label: pod.label, token: "old", intent: null, pendingDeletes: [], creates: [startedAt] };
  await redis.set(`vast_pod_${pod.label}`, JSON.stringify(copy));
  await redis.set(`vast_lease_${pod.label}`, "old vast-pod-0 (pid 7)", "PX", 60_000);
  await pod.provision();
  const blocked = await pod.until("it is blocked", (file) => file.reason === "other_owner");
  expect(blocked.message).toContain("another provisioner, vast-pod-0 (pid 7)");
  expect(await pod.emulator.mutations()).toEqual([]);
  await redis.pexpire(`vast_lease_${pod.label}`, 1);
  await pod.ready(30_000);
  expect(await pod.status()).toMatchObject({ budget: { createsLeft: 4 } });
});

test("while the API does not say whose the key is, nothing is created, and then the lease has the account's name", async () => {
  const rule = { method: "GET", path: "^/api/v0/users/current/", times: 0 };
  await pod.emulator.send("POST", "faults", { ...rule, effect: { status: 502 } });
  await pod.provision();
  const waits = await pod.until("it waits", (file) => file.reason === "owner_unknown");
  expect(waits.message).toContain("it is unknown which account VAST_API_KEY belongs to");
  expect(await redis.keys("*lease*")).toEqual([]);
  await pod.emulator.send("DELETE", "faults");
  await pod.ready(60_000);
  expect(await redis.keys("*lease*")).toEqual([leaseKey]);
  expect(await pod.emulator.mutations()).toHaveLength(1);
});

test("SIGTERM releases the lease", async () => {
  const first = await pod.provision();
  await pod.ready();
  expect(await redis.exists(leaseKey)).toBe(1);
  await first.stop();
  expect(await redis.exists(leaseKey)).toBe(0);
});

test("destroy refuses while a provisioner holds the lease, and works beside one that only observes", async () => {
  const first = await pod.provision();
  await pod.ready();
  const refused = await pod.provision({}, ["destroy", "--yes"]);
  expect((await refused.exited).code).toBe(1);
  expect(refused.lines.join("\n")).toMatch(/is held by the provisioner .+: stop it or set VAST_POLICY=observe/);
  expect(await pod.emulator.live(pod.label)).toHaveLength(1);
  await first.stop();
  await pod.provision({ VAST_POLICY: "observe" });
  // Not by the upstream file: the first provisioner has left it there.
  await until("it observes", async () => (await pod.status()).server !== null);
  const file = await pod.state();
  const done = await pod.provision({}, ["destroy", "--yes"]);
  expect((await done.exited).code).toBe(0);
  expect(await pod.emulator.live(pod.label)).toEqual([]);
  expect(await pod.state()).toMatchObject({ leaseToken: file.leaseToken, pendingDeletes: [] });
  expect(await redis.exists(leaseKey)).toBe(0);
});

test("the end of a pod waits for the lease of a predecessor that was killed with its volume, and destroys the instance", async () => {
  const first = await pod.provision();
  await pod.ready();
  first.signal("SIGKILL");
  await first.exited;
  const second = await other({ VAST_ON_TERMINATE: "destroy" });
  await until("the second is blocked", async () => (await second.status()).reason === "other_owner");
  await redis.pexpire(leaseKey, 3000); // the clock of the provisioner is faster
  second.child.signal("SIGTERM");
  expect((await second.child.exited).code).toBe(0);
  expect(second.child.lines.join("\n")).toContain("Waiting for that.");
  expect(await pod.emulator.live(pod.label)).toEqual([]);
});

test("a read-only Redis is reported as such, and does not block for ever", async () => {
  await redis.replicaof("127.0.0.1", 1);
  const log = createLogger({ app: "test", debug: true, secrets: () => [], destination: { write: () => undefined } });
  const connection = connectRedis(addressOf(pod.redis?.url ?? ""), log, systemClock);
  try {
    await untilConnected(connection);
    await expect(connection.claim(leaseKey, "t ", "t me", 1000)).rejects.toThrow(/^READONLY/);
  } finally {
    connection.close();
  }
  const provisioner = await pod.provision();
  await pod.until("it waits", (file) => file.reason === "owner_unknown" && file.message.includes("refuses writes"));
  await pod.ready(60_000);
  expect(provisioner.lines.join("\n")).toContain(
    "continuing without knowing whether another provisioner uses this label",
  );
});
