// Changes of an instance after it was ready are noticed and repaired without a restart of the pod.
import { afterEach, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { openPod, type Pod, type PodOptions } from "./pod.ts";

let pod: Pod;
const open = async (options?: PodOptions) => {
  pod = await openPod(options);
  return pod;
};
afterEach(() => pod.close());

// The ten minutes of grace pass in 15 s.
const FAST = { timeScale: 40, bootSeconds: 20 };

async function replaced(id: number | undefined, timeoutMs = 45_000) {
  const file = await pod.until("another instance serves", (f) => f.server !== null && f.instance?.id !== id, timeoutMs);
  expect((await pod.emulator.live(pod.label)).map((i) => i.id)).toEqual([file.instance?.id]);
  return file;
}
const reasonsOfDestroys = async (lines: readonly string[]) =>
  lines
    .filter((line) => line.includes('"action":"destroy"'))
    .map((line) => (JSON.parse(line) as { reason?: string }).reason);

test("replaces an instance whose container exits and does not come back within its grace", async () => {
  await open(FAST);
  const provisioner = await pod.provision();
  const before = await pod.ready();
  await pod.emulator.event("any", "exit");
  const lost = await pod.until("it is lost", (f) => f.reason === "instance_lost");
  expect(lost).toMatchObject({ state: "unavailable", server: null });
  await replaced(before.instance?.id);
  expect(await reasonsOfDestroys(provisioner.lines)).toEqual(["instance_exited"]);
});

test("keeps an instance whose container exits and comes back within its grace", async () => {
  await open();
  await pod.provision();
  const before = await pod.ready();
  await pod.emulator.event("any", "exit");
  await pod.until("it is lost", (f) => f.server === null);
  await pod.emulator.event("any", "recover");
  const after = await pod.ready();
  expect(after.instance?.id).toBe(before.instance?.id);
  expect((await pod.emulator.state()).instances).toHaveLength(1);
});

test("replaces an instance whose host goes offline, after the grace period", async () => {
  await open(FAST);
  const provisioner = await pod.provision();
  const before = await pod.ready();
  await pod.emulator.event("any", "offline");
  await replaced(before.instance?.id);
  expect(await reasonsOfDestroys(provisioner.lines)).toEqual(["instance_offline"]);
});

test("keeps serving an instance that answers although its host lost its heartbeat", async () => {
  await open(FAST);
  await pod.provision();
  const before = await pod.ready();
  await pod.emulator.event("any", "offline", { reachable: true });
  const passes = Number((await pod.status()).passes);
  // One pass every five seconds, until after the ten minutes of grace.
  await until("many passes", async () => Number((await pod.status()).passes) > passes + 130, { timeoutMs: 50_000 });
  // The 5 s of a probe are an eighth of a second here: on a busy machine one may just have failed.
  expect((await pod.ready()).server).toEqual(before.server);
  expect((await pod.emulator.state()).instances).toHaveLength(1);
});

test("routes to a changed address without changing the instance", async () => {
  await open();
  await pod.provision();
  const before = await pod.ready();
  await pod.emulator.event("any", "move");
  const after = await pod.until(
    "it is re-pointed",
    (f) => f.server !== null && f.server.port !== before.server?.port,
    30_000,
  );
  expect(after.instance?.id).toBe(before.instance?.id);
  expect((await fetch(`http://${after.server?.host}:${after.server?.port}/`)).status).toBe(200);
  expect((await pod.emulator.state()).instances).toHaveLength(1);
});

test("replaces an instance that was destroyed in the console", async () => {
  await open();
  await pod.provision();
  const before = await pod.ready();
  await pod.emulator.event("any", "kill");
  await replaced(before.instance?.id);
});

test("replaces an instance that was outbid", async () => {
  await open(FAST);
  await pod.provision();
  const before = await pod.ready();
  await pod.emulator.event("any", "outbid");
  await replaced(before.instance?.id);
});

test("replaces a running instance that no longer answers, as unreachable", async () => {
  await open(FAST);
  const provisioner = await pod.provision();
  const before = await pod.ready();
  await pod.emulator.event("any", "mute");
  await pod.until("it is not served", (f) => f.server === null && f.reason === "instance_unreachable");
  await replaced(before.instance?.id);
  expect(await reasonsOfDestroys(provisioner.lines)).toEqual(["unreachable"]);
});

test("stops serving an instance that fails its HTTP probe, and serves it again when it passes", async () => {
  await open({ env: { VAST_HEALTH_PATH: "/health" } });
  await pod.provision();
  const before = await pod.ready();
  await pod.emulator.event("any", "fail", { status: 500 });
  await pod.until("it is unhealthy", (f) => f.server === null && f.reason === "instance_unhealthy");
  await pod.emulator.event("any", "fail", { status: 200 });
  expect((await pod.ready()).instance?.id).toBe(before.instance?.id);
});

test("bans and replaces a host that cannot start containers", async () => {
  await open({ redis: true, bootSeconds: 40 });
  const provisioner = await pod.provision();
  const id = await until("an instance is there", async () => (await pod.emulator.live(pod.label))[0]?.id);
  await pod.emulator.event(id, "oci-failure");
  await replaced(id);
  expect(await reasonsOfDestroys(provisioner.lines)).toEqual(["host_failed"]);
  expect(provisioner.lines.join("\n")).toContain("is banned (host_failed)");
});

test("bans no host for an image that cannot be pulled, and is blocked with the remedy", async () => {
  await open({ redis: true, bootSeconds: 40 });
  const provisioner = await pod.provision();
  const id = await until("an instance is there", async () => (await pod.emulator.live(pod.label))[0]?.id);
  await pod.emulator.event(id, "pull-failure", { text: "manifest unknown: manifest unknown" });
  const file = await pod.until(
    "it is blocked",
    (f) => f.reason === "image_unavailable" && f.state === "blocked",
    40_000,
  );
  expect(file.message).toContain("check VAST_TEMPLATE_IMAGE and DOCKER_LOGIN");
  expect(await pod.emulator.live(pod.label)).toEqual([]);
  expect(provisioner.lines.join("\n")).not.toContain("is banned");
});

test("nginx stops routing to a server before its instance is destroyed", async () => {
  await open({ proxy: true, timeScale: 1, bootSeconds: 0.5 });
  const first = await pod.provision();
  await pod.ready();
  await until("the proxy serves", async () => (await fetch(`${pod.proxyUrl}/x`)).status === 200);
  await first.stop();
  await pod.emulator.send("POST", "faults", {
    method: "DELETE",
    path: "^/api/v0/instances/",
    effect: { kind: "hang-before" },
  });
  await pod.provision({ VAST_TEMPLATE_IMAGE: "example/app:3" });
  await until("the destroy is under way", async () => JSON.stringify((await pod.state()).pendingDeletes) !== "[]");
  const answer = await fetch(`${pod.proxyUrl}/x`);
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ state: "provisioning", reason: "image_changed" });
});

test("the whole pod: proxied answers, a killed provisioner, reloader and nginx, and an image change", async () => {
  await open({ proxy: true, timeScale: 1, bootSeconds: 0.5 });
  const provisioner = await pod.provision();
  const before = await pod.routed();
  const who = async () => {
    const answer = await fetch(`${pod.proxyUrl}/any/path?q=1`);
    return answer.status === 200 ? ((await answer.json()) as { instance: number; url: string }) : null;
  };
  expect(await who()).toMatchObject({ instance: before.instance?.id, url: "/any/path?q=1" });
  expect((await fetch(`${pod.proxyUrl}/-/ready`)).status).toBe(200);

  provisioner.signal("SIGKILL");
  await provisioner.exited;
  expect((await who())?.instance).toBe(before.instance?.id);

  await pod.provision({ VAST_TEMPLATE_IMAGE: "example/app:3" });
  const after = await pod.until(
    "the new image serves",
    (f) => f.server !== null && f.instance?.image === "example/app:3",
    30_000,
  );
  await until("the proxy serves the new instance", async () => (await who())?.instance === after.instance?.id);
});
