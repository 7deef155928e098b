// Migration from an earlier provisioner: its instance, its keys in Redis and its environment work unchanged.
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import type { EmulatedInstance, RecordedRequest } from "./emulator-control.ts";
import { API_KEY, openPod, type Pod, REGISTRY_PASSWORD } from "./pod.ts";

let pod: Pod;
let redis: Redis;
const OURS = 7001;
const BANNED = 7002;
const GOOD = 7003;

beforeEach(async () => {
  pod = await openPod({ redis: true });
  redis = new Redis(pod.redis?.url ?? "");
  // The banned host has the cheapest offers, which always come first.
  await pod.emulator.send("PUT", "offers", [
    { id: 601, dph_base: 0.1, host_id: BANNED, machine_id: 71 },
    { id: 602, dph_base: 0.11, host_id: BANNED, machine_id: 72 },
    { id: 603, dph_base: 0.5, host_id: GOOD, machine_id: 73 },
  ]);
});
afterEach(async () => {
  redis.disconnect();
  await pod.close();
});

/** An instance as the earlier provisioner created it: the template's image as `repo:tag`, its hash, and the pod's label. */
async function plant(over: object = {}): Promise<number> {
  // Another account has an older template with the same name.
  const template = (await pod.emulator.state()).templates.filter((one) => one.name === "demo").at(-1);
  const planted = (await pod.emulator.send("POST", "instances", {
    label: "k8s_pod=vast-pod-0",
    image_uuid: "example/app:2",
    template_id: template?.id ?? null,
    template_hash_id: template?.hash_id ?? null,
    template_name: "demo",
    image_runtype: "args",
    extra_env: [["-p 8000:8000", "1"]],
    host_id: OURS,
    machine_id: 70,
    start_date: Math.floor(Date.now() / 1000) - 86_400,
    ...over,
  })) as { id: number };
  return planted.id;
}

/** Its complete environment, under its names, plus the paths and ports that keep the test in its sandbox. */
function environment(): Record<string, string> {
  const sandboxed = pod.env();
  const theirs: Record<string, string> = {
    POD_NAME: "vast-pod-0",
    VAST_API_KEY: API_KEY,
    VAST_TEMPLATE_NAME: "demo",
    VAST_TEMPLATE_IMAGE: "example/app:2",
    DOCKER_LOGIN: `-u registry-user -p ${REGISTRY_PASSWORD} registry.example`,
    VAST_SEARCH_QUERY: '{"verified": {"eq": true}, "rentable": {"eq": true}, "order": [["dph_total", "asc"]]}',
    NGINX_CONFIG_PATH: "/etc/nginx/http.d/default.conf",
    NGINX_LISTEN_PORT: "3000",
    NGINX_MAX_BODY_SIZE: "10M",
    BLACKLIST_ENABLED: "true",
    BLACKLIST_REDIS: pod.redis?.url ?? "",
    BLACKLIST_BAN_AFTER_SECONDS: "1200",
    BLACKLIST_BAN_TTL_SECONDS: "604800",
    BLACKLIST_RESTART_TTL_SECONDS: "3600",
    BLACKLIST_RESTART_THRESHOLD: "5",
    DEBUG: "false",
  };
  const OTHERS =
    /^(VAST_URL|UPSTREAM_PATH|STATE_PATH|PROVISIONER_STATUS_PORT|RELOADER_STATUS_PORT|UPSTREAM_ALLOW_LOCAL|VAST_POD_TEST_.*)$/;
  const left = Object.keys(sandboxed).filter((name) => !(name in theirs) && !OTHERS.test(name));
  return { ...Object.fromEntries(left.map((name) => [name, ""])), ...theirs };
}
const seconds = (ago: number) => String(Math.floor(Date.now() / 1000) - ago);
const created = (requests: RecordedRequest[]) => requests.filter((r) => r.method === "PUT");
const live = async (): Promise<EmulatedInstance[]> => pod.emulator.live(pod.label);

test("a serving instance is adopted: nothing is created, nothing is destroyed", async () => {
  const id = await plant();
  await redis.set(`wait_${id}`, seconds(90_000));
  await redis.set(`restarts_${id}`, "2", "EX", 3000);
  await redis.set(`ban_${BANNED}`, "1", "EX", 600_000);
  const provisioner = await pod.provision(environment());
  const file = await pod.ready();
  expect(file.instance).toMatchObject({ id, hostId: OURS, image: "example/app:2" });
  expect((await fetch(`http://${file.server?.host}:${file.server?.port}/`)).status).toBe(200);
  await until("the start is counted", async () => (await redis.get(`restarts_${id}`)) === "3");
  await until("its wait is over", async () => (await redis.get(`wait_${id}`)) === null);
  expect(await redis.get(`ban_${BANNED}`)).toBe("1");
  expect(await redis.ttl(`ban_${BANNED}`)).toBeGreaterThan(590_000);
  expect(await redis.get(`ban_${OURS}`)).toBeNull();
  expect(await pod.emulator.mutations()).toEqual([]);
  expect(provisioner.lines.join("\n")).toContain("BLACKLIST_REDIS is the older name of BLACKLIST_REDIS_URL");

  // A later replacement respects the existing bans.
  await pod.emulator.event("any", "kill");
  const replaced = await pod.until("another one serves", (f) => f.server !== null && f.instance?.id !== id, 40_000);
  expect(replaced.instance?.hostId).toBe(GOOD);
  const requests = await pod.emulator.requests();
  expect(requests.find((r) => r.path === "/api/v0/bundles/")?.body).toMatchObject({ host_id: { notin: [BANNED] } });
  expect(created(requests)).toHaveLength(1);
});

test("an instance whose wait has already expired is replaced and its host banned, without waiting again", async () => {
  const id = await plant({ actual_status: "loading", start_date: Math.floor(Date.now() / 1000) - 1500 });
  await redis.set(`wait_${id}`, seconds(1500));
  await pod.provision(environment());
  await until("its host is banned", async () => (await redis.get(`ban_${OURS}`)) === "start_timeout");
  await until("it is gone", async () => (await live()).every((row) => row.id !== id));
});

test("the wait for an instance continues from where it was", async () => {
  const id = await plant({ actual_status: "loading", start_date: Math.floor(Date.now() / 1000) - 300 });
  const since = seconds(300);
  await redis.set(`wait_${id}`, since);
  await pod.provision(environment());
  const file = await pod.until("it is waited for", (f) => f.reason === "instance_starting");
  expect(file.instance?.id).toBe(id);
  const row = await until("the status shows it", async () => (await pod.status()).instances[0]);
  expect(row.waitingSeconds).toBeGreaterThanOrEqual(300);
  expect(await redis.get(`wait_${id}`)).toBe(since);
  expect(await pod.emulator.mutations()).toEqual([]);
});

test("a restart counter at its threshold bans the host at the next start, and keeps the serving instance", async () => {
  const id = await plant();
  await redis.set(`restarts_${id}`, "5", "EX", 3000);
  await pod.provision(environment());
  await pod.ready();
  await until("the host is banned", async () => (await redis.get(`ban_${OURS}`)) === "too_many_restarts", {
    timeoutMs: 40_000,
  });
  expect((await live()).map((row) => row.id)).toEqual([id]);
  expect(await pod.emulator.mutations()).toEqual([]);
});
