// Another image or template in place, with real processes: the same machine, no create, and nginx routes nowhere meanwhile.
import { rm } from "node:fs/promises";
import { afterEach, expect, test } from "vitest";
import type { Child } from "../sandbox/child.ts";
import { until } from "../sandbox/until.ts";
import { openPod, type Pod } from "./pod.ts";

let pod: Pod;
afterEach(() => pod.close());

const IN_PLACE = { VAST_UPDATE_STRATEGY: "in-place" };

async function restarted(provisioner: Child, env: Record<string, string>): Promise<Child> {
  provisioner.signal("SIGTERM");
  await provisioner.exited;
  return pod.provision({ ...IN_PLACE, ...env });
}

/** The calls that change something, without those of the first instance's create. */
async function changes(): Promise<string[]> {
  const all = (await pod.emulator.mutations()).map(({ method, path }) => `${method} ${path}`);
  return all.slice(1);
}
const update = (id: number) => `PUT /api/v0/instances/update_template/${id}/`;
const recycle = (id: number) => `PUT /api/v0/instances/recycle/${id}/`;

test("an image is changed in place: the same instance, no create, and nginx does not route to it while it is recycled", async () => {
  pod = await openPod({ proxy: true });
  const first = await pod.provision(IN_PLACE);
  const ready = await pod.ready();
  const id = ready.instance?.id ?? 0;
  await until("nginx routes to it", async () => (await fetch(pod.proxyUrl)).status === 200);

  await restarted(first, { VAST_TEMPLATE_IMAGE: "example/app:3" });
  await pod.until("it is recycled", (f) => f.reason === "updating", 40_000);
  const answers: { status: number; body: Record<string, unknown> }[] = [];
  // The reload follows the file: for a moment nginx may still give the reason of before.
  await until("nginx gives the reason", async () => {
    const answer = await fetch(pod.proxyUrl);
    answers.push({ status: answer.status, body: (await answer.json()) as Record<string, unknown> });
    return answers.at(-1)?.body.reason === "updating";
  });
  for (const answer of answers) expect(answer).toMatchObject({ status: 503, body: { state: "provisioning" } });
  const updated = await pod.until(
    "the new image serves",
    (f) => f.server && f.instance?.image === "example/app:3",
    60_000,
  );
  expect(updated.instance).toMatchObject({ id, image: "example/app:3" });
  await until("nginx routes to it again", async () => (await fetch(pod.proxyUrl)).status === 200);
  expect(await changes()).toEqual([update(id), recycle(id)]);
  expect((await pod.state()).updating).toBeNull();
  expect(await pod.metric('vast_pod_updates_total{outcome="done"}')).toBe("1");
  const sent = (await pod.emulator.mutations()).find(({ path }) => path.includes("update_template"));
  expect(sent?.body).toMatchObject({
    image: "example/app:3",
    image_login: expect.stringContaining("registry.example"),
  });
});

test("a provisioner that is killed between the two calls finishes the update", async () => {
  pod = await openPod();
  const first = await pod.provision(IN_PLACE);
  const ready = await pod.ready();
  const id = ready.instance?.id ?? 0;
  await pod.emulator.send("POST", "faults", {
    method: "PUT",
    path: "recycle",
    times: 0,
    effect: { kind: "hang-before" },
  });
  const second = await restarted(first, { VAST_TEMPLATE_IMAGE: "example/app:3" });
  await until("the recycle is sent", async () => (await changes()).includes(recycle(id)));
  second.signal("SIGKILL");
  await second.exited;
  expect(await pod.state()).toMatchObject({ updating: { instanceId: id, recycledAt: null } });
  await pod.emulator.send("DELETE", "faults");

  await pod.provision({ ...IN_PLACE, VAST_TEMPLATE_IMAGE: "example/app:3" });
  const updated = await pod.until(
    "the new image serves",
    (f) => f.server && f.instance?.image === "example/app:3",
    60_000,
  );
  expect(updated.instance?.id).toBe(id);
  expect((await changes()).filter((change) => !change.includes(`/${id}/`))).toEqual([]);
});

test("what the API refuses is not tried again: the instance is replaced, and a warning says why", async () => {
  pod = await openPod();
  const first = await pod.provision(IN_PLACE);
  const ready = await pod.ready();
  const id = ready.instance?.id ?? 0;
  await pod.emulator.send("POST", "settings", { templateUpdateExtras: "refused" });

  const second = await restarted(first, { VAST_TEMPLATE_IMAGE: "example/app:3" });
  const replaced = await pod.until(
    "another one serves",
    (f) => f.server && f.instance?.image === "example/app:3",
    60_000,
  );
  expect(replaced.instance?.id).not.toBe(id);
  expect((await pod.emulator.live(pod.label)).map((one) => one.id)).toEqual([replaced.instance?.id]);
  const made = await changes();
  expect(made.slice(0, 2)).toEqual([update(id), `DELETE /api/v0/instances/${id}/`]);
  expect(made.filter((change) => change === update(id))).toHaveLength(1);
  expect(second.lines.join("\n")).toMatch(
    /cannot be updated in place to image example\/app:3: the API refuses it .*image_login/,
  );

  // Without a login there is nothing that it could refuse.
  const third = await restarted(second, { VAST_TEMPLATE_IMAGE: "example/app:4", DOCKER_LOGIN: "none" });
  const updated = await pod.until(
    "the next image serves",
    (f) => f.server && f.instance?.image === "example/app:4",
    60_000,
  );
  expect(updated.instance?.id).toBe(replaced.instance?.id);
  expect(third.lines.join("\n")).not.toContain("cannot be updated");
});

test("an image that cannot be pulled costs no instance: the old one serves again, blocked, and the corrected image is tried at once", async () => {
  pod = await openPod({ proxy: true });
  const first = await pod.provision(IN_PLACE);
  const ready = await pod.ready();
  const id = ready.instance?.id ?? 0;
  const failure = "Error response from daemon: manifest for example/app:typo not found: manifest unknown";
  await pod.emulator.send("POST", "settings", { images: { "example/app:typo": { failure } } });

  const second = await restarted(first, { VAST_TEMPLATE_IMAGE: "example/app:typo" });
  const back = await pod.until("the old image serves again", (f) => f.server && f.reason === "update_failed", 90_000);
  expect(back).toMatchObject({ state: "blocked", instance: { id, image: ready.instance?.image } });
  expect(back.message).toContain("manifest unknown");
  await until("nginx routes to it again", async () => (await fetch(pod.proxyUrl)).status === 200);
  expect(await changes()).toEqual([update(id), recycle(id), update(id), recycle(id)]);
  expect(await pod.metric('vast_pod_updates_total{outcome="undone"}')).toBe("1");

  await restarted(second, { VAST_TEMPLATE_IMAGE: "example/app:3" });
  const updated = await pod.until("the image serves", (f) => f.server && f.instance?.image === "example/app:3", 60_000);
  expect(updated.instance?.id).toBe(id);
});

test("an image is changed by surge: nginx answers all the time, and the old instance ends when the new one serves", async () => {
  pod = await openPod({ proxy: true });
  const surge = { VAST_UPDATE_STRATEGY: "surge" };
  const first = await pod.provision(surge);
  const id = (await pod.routed()).instance?.id ?? 0;

  first.signal("SIGTERM");
  await first.exited;
  await pod.provision({ ...surge, VAST_TEMPLATE_IMAGE: "example/app:3" });
  const statuses: number[] = [];
  let watching = true;
  const watched = (async () => {
    // Each on a connection of its own: an old worker of nginx may close an idle one just when the client uses it again.
    while (watching) statuses.push((await fetch(pod.proxyUrl, { headers: { connection: "close" } })).status);
  })();
  const updated = await pod.until(
    "the new image serves",
    (f) => f.server && f.instance?.image === "example/app:3",
    90_000,
  );
  await until("the old one is gone", async () => (await pod.emulator.live(pod.label)).length === 1);
  watching = false;
  await watched;
  expect(updated.instance?.id).not.toBe(id);
  expect((await pod.emulator.live(pod.label)).map((one) => one.id)).toEqual([updated.instance?.id]);
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect((await changes()).filter((change) => change.startsWith("DELETE"))).toEqual([
    `DELETE /api/v0/instances/${id}/`,
  ]);
  await until("it is counted", async () => (await pod.metric('vast_pod_updates_total{outcome="done"}')) === "1");
});

test("in a rollout by surge the pod serves all the time, and is ready when the new image serves: never with one that fails", async () => {
  pod = await openPod({ proxy: true });
  const surge = { VAST_UPDATE_STRATEGY: "surge" };
  const first = await pod.provision(surge);
  await pod.ready();
  const readiness = async () => (await fetch(`${pod.proxyUrl}/-/ready`)).status;
  await until("the pod is ready", async () => (await readiness()) === 200);
  const failure = "Error response from daemon: manifest for example/app:typo not found: manifest unknown";
  await pod.emulator.send("POST", "settings", { images: { "example/app:typo": { failure } } });

  /** As in a new pod: its volume is empty. */
  const replaced = async (before: Child, image: string) => {
    before.signal("SIGTERM");
    await before.exited;
    await rm(pod.statePath);
    await rm(pod.upstreamPath);
    return pod.provision({ ...surge, VAST_TEMPLATE_IMAGE: image });
  };
  const second = await replaced(first, "example/app:typo");
  const failed = await pod.until("it has failed", (f) => f.server && f.reason === "update_failed", 60_000);
  expect(failed).toMatchObject({ ready: false, instance: { image: "example/app:2" } });
  await until("nginx says that the pod is not ready", async () => (await readiness()) === 503);
  await until("nginx routes to the old instance", async () => (await fetch(pod.proxyUrl)).status === 200);

  await replaced(second, "example/app:3");
  const old = await pod.until("the old image serves", (f) => f.server && f.instance?.image === "example/app:2", 60_000);
  expect(old.ready).toBe(false);
  expect(await readiness()).toBe(503);
  await until("the pod is ready", async () => (await readiness()) === 200, { timeoutMs: 60_000, everyMs: 20 });
  expect(await pod.upstream()).toMatchObject({ server: {}, instance: { image: "example/app:3" } });
});
