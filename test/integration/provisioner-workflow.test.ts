// The usual workflow, step by step, with the real provisioner against the emulator.
import { rm } from "node:fs/promises";
import { afterEach, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { logOf, openPod, type Pod, type PodOptions } from "./pod.ts";

let pod: Pod;
const open = async (options?: PodOptions) => {
  pod = await openPod(options);
  return pod;
};
afterEach(() => pod.close());

const creates = async () =>
  (await pod.emulator.requests()).filter((r) => r.method === "PUT" && r.path.includes("/asks/"));

test("resolves the template name to the account's own template, never to another user's public one", async () => {
  await open();
  const { templates } = await pod.emulator.state();
  const namesakes = templates.filter((template) => template.name === "demo");
  expect(new Set(namesakes.map((template) => template.creator_id)).size).toBeGreaterThan(1);
  await pod.provision();
  await pod.ready();
  const user = (await (
    await fetch(`${pod.emulator.url}/api/v0/users/current/`, { headers: { authorization: "Bearer emulator-key" } })
  ).json()) as { id: number };
  const own = namesakes.find((template) => template.creator_id === user.id);
  expect((await pod.emulator.live(pod.label))[0]?.template_hash_id).toBe(own?.hash_id);
});

test("creates from the best offer of the query, with the template's disk, the image, the registry login and the label", async () => {
  await open({
    env: {
      VAST_SEARCH_QUERY: JSON.stringify({ gpu_name: { eq: "RTX 4090" }, order: [["dph_total", "asc"]], limit: 5 }),
    },
  });
  await pod.emulator.send("PUT", "offers", [
    { id: 501, gpu_name: "RTX 4090", dph_base: 0.5, host_id: 1, machine_id: 11 },
    { id: 502, gpu_name: "RTX 4090", dph_base: 0.3, host_id: 2, machine_id: 12 },
    { id: 503, gpu_name: "RTX 3090", dph_base: 0.1, host_id: 3, machine_id: 13 },
  ]);
  await pod.provision();
  await pod.ready();
  const [create] = await creates();
  expect(create?.path).toBe("/api/v0/asks/502/");
  expect(create?.body).toMatchObject({
    client_id: "me",
    image: "example/app:2",
    label: "k8s_pod=vast-pod-0",
    disk: 20,
    cancel_unavail: true,
  });
  expect(JSON.stringify(create?.body)).toMatch(/"image_login":"-u registry-user -p \S+ registry.example"/);
  expect(create?.body).not.toHaveProperty("price");
  const search = (await pod.emulator.requests()).find((r) => r.path === "/api/v0/bundles/");
  expect(search?.body).toMatchObject({ gpu_name: { eq: "RTX 4090" }, limit: 5, allocated_storage: 20 });
  expect((await pod.emulator.live(pod.label)).map((i) => i.disk_space)).toEqual([20]);
});

test("finds its instance among others by a filtered, paged list and touches no other", async () => {
  await open({ env: { VAST_POLICY: "observe" } });
  for (let i = 0; i < 30; i += 1)
    await pod.emulator.send("POST", "instances", { label: pod.label, image_uuid: "example/app:2" });
  for (const label of ["k8s_pod=vast-pod-00", "k8s_pod=vast-pod", "", null])
    await pod.emulator.send("POST", "instances", { label });
  await pod.provision();
  const file = await pod.until("all rows are seen", (f) => f.message.includes("30 instances have the label"));
  expect(file.reason).toBe("duplicate");
  const lists = (await pod.emulator.requests()).filter((r) => r.path === "/api/v1/instances/");
  expect(lists[0]?.query.select_filters).toBe(JSON.stringify({ label: { eq: pod.label } }));
  expect(lists[1]?.query.after_token).toBeTruthy();
  expect(await pod.emulator.mutations()).toEqual([]);
});

test("replaces an instance that has another image", async () => {
  await open();
  await pod.provision();
  const before = await pod.ready();
  await pod.emulator.event(before.instance?.id ?? 0, "image", { image: "example/app:1" });
  const after = await pod.until(
    "another instance serves",
    (f) => f.server !== null && f.instance?.id !== before.instance?.id,
    60_000,
  );
  expect(after.instance?.image).toBe("example/app:2");
  expect((await pod.emulator.live(pod.label)).map((i) => i.id)).toEqual([after.instance?.id]);
});

test("replaces the instance when the desired image changes with a restart", async () => {
  await open();
  const first = await pod.provision();
  const before = await pod.ready();
  await first.stop();
  await pod.provision({ VAST_TEMPLATE_IMAGE: "example/app:3" });
  const after = await pod.until(
    "the new image serves",
    (f) => f.server !== null && f.instance?.image === "example/app:3",
  );
  expect((await pod.emulator.live(pod.label)).map((i) => i.id)).toEqual([after.instance?.id]);
  expect(after.instance?.id).not.toBe(before.instance?.id);
});

test("a new pod never serves the instance that it replaces: a rollout would go on to the next pod", async () => {
  await open();
  const first = await pod.provision();
  const before = await pod.ready();
  await first.stop();
  await rm(pod.upstreamPath);
  await rm(pod.statePath);
  const second = await pod.provision({ VAST_TEMPLATE_IMAGE: "example/app:3" });
  const after = await pod.until("the new image serves", (f) => f.server !== null);
  expect(after.instance?.image).toBe("example/app:3");
  const states = () => logOf(second).filter(({ event }) => event === "state");
  expect(states().some(({ instance, reason }) => instance === before.instance?.id && reason === "image_changed")).toBe(
    true,
  );
  const served = () => states().flatMap(({ server, instance }) => (server === null ? [] : [instance]));
  await until("the log says so", () => served().length > 0); // it comes after the file
  expect(new Set(served())).toEqual(new Set([after.instance?.id]));
});

test("replaces the instance when the template's content changes", async () => {
  await open({ timeScale: 10, bootSeconds: 5 });
  await pod.provision();
  const before = await pod.ready();
  await pod.emulator.send("PATCH", "templates/demo", { recommended_disk_space: 33 });
  const after = await pod.until(
    "another instance serves",
    (f) => f.server !== null && f.instance?.id !== before.instance?.id,
    30_000,
  );
  expect(after.instance?.templateHash).not.toBe(before.instance?.templateHash);
  expect((await pod.emulator.live(pod.label)).map((i) => [i.id, i.disk_space])).toEqual([[after.instance?.id, 33]]);
});

test("keeps an instance that is up to date and sends no call that changes anything", async () => {
  await open();
  const first = await pod.provision();
  const before = await pod.ready();
  await first.stop();
  const mutations = (await pod.emulator.mutations()).length;
  const bytes = JSON.stringify(await pod.upstream());
  const second = await pod.provision();
  await until("the second provisioner has made passes", async () => Number((await pod.status()).passes) >= 3, {
    timeoutMs: 30_000,
  });
  expect((await pod.emulator.mutations()).length).toBe(mutations);
  expect(JSON.stringify(await pod.upstream())).toBe(bytes);
  expect(before.instance?.id).toBe((await pod.upstream())?.instance?.id);
  await second.stop();
});

test("waits for an instance whose address and ports appear late, and says what it waits for", async () => {
  await open({ bootSeconds: 3 });
  await pod.provision();
  const waiting = await pod.until("it waits", (f) => f.reason === "instance_starting");
  expect(waiting).toMatchObject({ state: "provisioning", server: null });
  const ready = await pod.ready();
  const answer = (await (await fetch(`http://${ready.server?.host}:${ready.server?.port}/who`)).json()) as {
    label: string;
  };
  expect(answer.label).toBe(pod.label);
});
