// Create and destroy safety: nothing is rented twice and no billed instance is forgotten, whatever fails in between.
import { afterEach, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { logOf, openPod, type Pod, type PodOptions } from "./pod.ts";

let pod: Pod;
const open = async (options?: PodOptions) => {
  pod = await openPod(options);
  return pod;
};
afterEach(() => pod.close());

const ASKS = "^/api/v0/asks/";
const INSTANCE = "^/api/v0/instances/\\d+/";
const everCreated = async () => (await pod.emulator.state()).instances.length;
const fault = (method: string, path: string, effect: object, more: object = {}) =>
  pod.emulator.send("POST", "faults", { method, path, effect, ...more });
const requestsTo = async (method: string, path: string) =>
  (await pod.emulator.requests()).filter((r) => r.method === method && new RegExp(path).test(r.path));

test("has the intent on disk before the create is sent", async () => {
  await open();
  await fault("PUT", ASKS, { kind: "hang-before" });
  await pod.provision();
  await until("the create is under way", async () => (await pod.state()).intent !== null);
  expect(await pod.state()).toMatchObject({ intent: { label: pod.label, contract: null } });
  expect(await everCreated()).toBe(0);
});

test("has the id among the pending deletes on disk before the destroy is sent", async () => {
  await open();
  await pod.provision();
  const { instance } = await pod.ready();
  await fault("DELETE", INSTANCE, { kind: "hang-before" });
  await pod.emulator.event("any", "image", { image: "example/app:1" });
  await until(
    "the id is a pending delete",
    async () => JSON.stringify((await pod.state()).pendingDeletes).includes(String(instance?.id)),
    { timeoutMs: 45_000 },
  );
  expect((await pod.emulator.live(pod.label)).map((i) => i.id)).toEqual([instance?.id]);
});

for (const [what, effect] of [
  ["answers 502 after it was done", { kind: "commit-then", status: 502 }],
  ["loses its connection after it was done", { kind: "cut-after" }],
  ["answers half a JSON after it was done", { kind: "garbage" }],
] as const) {
  test(`finds by its label the instance of a create that ${what}, and creates no second one`, async () => {
    await open();
    await fault("PUT", ASKS, effect);
    await pod.provision();
    const file = await pod.ready();
    expect(await everCreated()).toBe(1);
    expect((await pod.emulator.live(pod.label)).map((i) => i.id)).toEqual([file.instance?.id]);
    expect(await requestsTo("PUT", ASKS)).toHaveLength(1);
  });
}

test("creates again when an uncertain create made no instance, but only after its deadline", async () => {
  await open({ timeScale: 20, bootSeconds: 10 });
  await fault("PUT", ASKS, { kind: "cut-before" });
  await pod.provision();
  await pod.until("it looks for the label", (f) => f.reason === "create_unresolved");
  await pod.ready(40_000);
  const [first, second] = await requestsTo("PUT", ASKS);
  expect((Date.parse(String(second?.at)) - Date.parse(String(first?.at))) / 1000).toBeGreaterThanOrEqual(120);
  expect(await everCreated()).toBe(1);
});

test("waits for a row that is listed late instead of creating a second one", async () => {
  await open({ timeScale: 10, bootSeconds: 5 });
  await fault("PUT", ASKS, { kind: "late-row", seconds: 60 });
  await pod.provision();
  await pod.ready(30_000);
  expect(await everCreated()).toBe(1);
});

test("destroys a created instance that is never listed by its id, and creates another one", async () => {
  await open({ timeScale: 20, bootSeconds: 10 });
  await fault("PUT", ASKS, { kind: "no-row" });
  await pod.provision();
  const file = await pod.ready(40_000);
  const [destroy] = await requestsTo("DELETE", INSTANCE);
  expect(destroy).toBeDefined();
  expect(destroy?.path).not.toContain(String(file.instance?.id));
  expect((await pod.emulator.state()).instances.filter((i) => i.destroyedAt === null).map((i) => i.id)).toEqual([
    file.instance?.id,
  ]);
});

test("destroys the contract that a failed create names", async () => {
  await open();
  await fault("PUT", ASKS, { kind: "rewrite", set: { success: false, msg: "bid too low" } });
  await pod.provision();
  const file = await pod.ready(45_000);
  expect(await everCreated()).toBe(2);
  expect((await pod.emulator.live(pod.label)).map((i) => i.id)).toEqual([file.instance?.id]);
});

test("uses the next offer at once when one is gone", async () => {
  await open();
  const gone = {
    success: false,
    error: "invalid_args",
    msg: "error 404/3603: no_such_ask Instance type by id 5 is not available.",
  };
  await fault("PUT", ASKS, { status: 400, body: gone });
  await pod.provision();
  await pod.ready();
  const asks = await requestsTo("PUT", ASKS);
  expect(asks).toHaveLength(2);
  expect(asks[0]?.path).not.toBe(asks[1]?.path);
});

test("stops at VAST_MAX_CREATES_PER_HOUR and says when it will continue", async () => {
  await open();
  await pod.provision({ VAST_MAX_CREATES_PER_HOUR: "2" });
  for (let i = 1; i <= 2; i += 1) {
    await until(
      `instance ${i} is there`,
      async () => (await everCreated()) === i && (await pod.emulator.live(pod.label)).length === 1,
      { timeoutMs: 30_000 },
    );
    await pod.emulator.event("any", "kill");
  }
  const file = await pod.until("the budget is spent", (f) => f.reason === "create_budget", 40_000);
  expect(file.state).toBe("blocked");
  expect(file.message).toMatch(/VAST_MAX_CREATES_PER_HOUR is 2.*possible at 2/);
  expect(await everCreated()).toBe(2);
});

test("keeps serving and changes nothing while neither the list nor the instance by its id is known", async () => {
  await open();
  await pod.provision();
  const ready = await pod.ready();
  const before = (await pod.emulator.mutations()).length;
  const internal = { status: 200, body: { success: false, error: "internal" } };
  for (const path of ["^/api/v1/instances/", INSTANCE]) await fault("GET", path, internal, { times: 0 });
  await pod.emulator.event("any", "image", { image: "example/app:1" });
  const file = await pod.until("the list is unknown", (f) => f.reason === "list_unknown", 45_000);
  expect(file.server).toEqual(ready.server);
  expect((await pod.emulator.mutations()).length).toBe(before);
});

test("destroys the worse of two instances with its label and keeps serving the better one", async () => {
  await open();
  await pod.provision();
  const ready = await pod.ready();
  const { id } = (await pod.emulator.send("POST", "instances", { label: pod.label, image_uuid: "example/app:2" })) as {
    id: number;
  };
  const foreign = (await pod.emulator.send("POST", "instances", { label: "k8s_pod=somebody-else" })) as { id: number };
  await until(
    "the duplicate is gone",
    async () => (await pod.emulator.state()).instances.find((i) => i.id === id)?.destroyedAt,
    { timeoutMs: 60_000 },
  );
  expect((await pod.upstream())?.server).toEqual(ready.server);
  expect((await pod.emulator.live(pod.label)).map((i) => i.id)).toEqual([ready.instance?.id]);
  expect((await pod.emulator.live("k8s_pod=somebody-else")).map((i) => i.id)).toEqual([foreign.id]);
});

test("repeats a destroy whose instance is still listed, and creates no second instance meanwhile", async () => {
  await open({ timeScale: 10, bootSeconds: 5 });
  await pod.provision();
  const before = await pod.ready();
  await fault("DELETE", INSTANCE, { kind: "linger", seconds: 90 });
  await pod.emulator.event("any", "image", { image: "example/app:1" });
  const after = await pod.until(
    "another serves",
    (f) => f.server !== null && f.instance?.id !== before.instance?.id,
    50_000,
  );
  const [first, again] = await requestsTo("DELETE", `/${before.instance?.id}/`);
  const [, create] = await requestsTo("PUT", ASKS);
  const seconds = (a: string | undefined, b: string | undefined) =>
    (Date.parse(String(b)) - Date.parse(String(a))) / 1000;
  expect(seconds(first?.at, again?.at)).toBeGreaterThanOrEqual(60);
  expect(seconds(first?.at, create?.at)).toBeGreaterThanOrEqual(85);
  expect((await pod.emulator.live(pod.label)).map((i) => i.id)).toEqual([after.instance?.id]);
});

test("killed with SIGKILL while it serves, and restarted, changes nothing", async () => {
  await open();
  const first = await pod.provision();
  const ready = await pod.ready();
  first.signal("SIGKILL");
  await first.exited;
  const mutations = (await pod.emulator.mutations()).length;
  await pod.provision();
  await until("it has made passes", async () => Number((await pod.status()).passes) >= 2, { timeoutMs: 30_000 });
  expect(await pod.upstream()).toEqual(ready);
  expect((await pod.emulator.mutations()).length).toBe(mutations);
});

test("killed with SIGKILL during a create, and restarted, adopts the created instance", async () => {
  await open();
  await fault("PUT", ASKS, { kind: "hang-after" });
  const first = await pod.provision();
  await until("the instance exists", async () => (await everCreated()) === 1);
  first.signal("SIGKILL");
  await first.exited;
  await pod.provision();
  await pod.ready();
  expect(await everCreated()).toBe(1);
});

test("killed with SIGKILL between the pending delete and the destroy, and restarted, destroys the instance", async () => {
  await open();
  const first = await pod.provision();
  const ready = await pod.ready();
  await fault("DELETE", INSTANCE, { kind: "hang-before" });
  await pod.emulator.event("any", "image", { image: "example/app:1" });
  await until(
    "the id is a pending delete",
    async () => JSON.stringify((await pod.state()).pendingDeletes).includes(String(ready.instance?.id)),
    { timeoutMs: 45_000 },
  );
  first.signal("SIGKILL");
  await first.exited;
  await pod.provision();
  const after = await pod.until(
    "another serves",
    (f) => f.server !== null && f.instance?.id !== ready.instance?.id,
    30_000,
  );
  expect((await pod.emulator.live(pod.label)).map((i) => i.id)).toEqual([after.instance?.id]);
});

test("exits within 2 s of SIGTERM with code 0 and says what is still billed and how to destroy it", async () => {
  await open({ timeScale: 1, bootSeconds: 0.5 });
  const provisioner = await pod.provision();
  const ready = await pod.ready();
  const asked = Date.now();
  provisioner.signal("SIGTERM");
  expect(await provisioner.exited).toEqual({ code: 0, signal: null });
  expect(Date.now() - asked).toBeLessThan(2000);
  expect(logOf(provisioner).at(-1)?.msg).toMatch(
    new RegExp(
      `instance ${ready.instance?.id} \\(.*\\$\\d.*/h\\) is still being billed; destroy it with: vast-provisioner destroy`,
    ),
  );
});

test("waits for a create in flight on SIGTERM and saves its outcome", async () => {
  await open({ timeScale: 1, bootSeconds: 0.5 });
  await fault("PUT", ASKS, { kind: "delay", seconds: 2 });
  const provisioner = await pod.provision();
  await until("the create is under way", async () => (await everCreated()) === 1);
  provisioner.signal("SIGTERM");
  expect(await provisioner.exited).toEqual({ code: 0, signal: null });
  const [instance] = await pod.emulator.live(pod.label);
  expect(await pod.state()).toMatchObject({ intent: { contract: instance?.id } });
  expect(logOf(provisioner).at(-1)?.msg).toMatch(
    new RegExp(`instance ${instance?.id} \\(\\$\\d.*/h\\) is still being billed`),
  );
});

test("names an instance that lost its label and bills on, and touches it no more", async () => {
  await open();
  const provisioner = await pod.provision();
  const { instance } = await pod.ready();
  const id = instance?.id ?? 0;
  await pod.emulator.event(id, "label", { label: "k8s_pod=somebody-else" });
  const warning = await until(
    "it is named",
    () => provisioner.lines.find((line) => line.includes('"lost_label"') && line.includes('"warn"')),
    { timeoutMs: 40_000 },
  );
  expect(warning).toContain(`instance ${id} `);
  expect(warning).toContain("has the label k8s_pod=somebody-else instead of");
  await pod.until("another one serves", (file) => file.server !== null && file.instance?.id !== id, 60_000);
  expect((await pod.emulator.live("k8s_pod=somebody-else")).map((one) => one.id)).toEqual([id]);
  expect(await requestsTo("DELETE", `/${id}/`)).toEqual([]);
});

test("of an older instance that is stopped and a newer one that is loading, the newer one is kept", async () => {
  await open();
  const plant = async () => {
    const fields = { label: pod.label, image_uuid: "example/app:2" };
    return ((await pod.emulator.send("POST", "instances", fields)) as { id: number }).id;
  };
  const older = await plant();
  await pod.emulator.event(older, "stop");
  const newer = await plant();
  await pod.emulator.event(newer, "stick");
  await pod.provision();
  const live = async () => (await pod.emulator.live(pod.label)).map((one) => one.id);
  await until("one is left", async () => (await live()).length === 1, { timeoutMs: 30_000 });
  expect(await live()).toEqual([newer]);
  await pod.emulator.event(newer, "unstick");
  expect((await pod.ready(60_000)).instance?.id).toBe(newer);
});

test("an instance that died is destroyed although the template is gone", async () => {
  await open();
  await pod.provision();
  const { instance } = await pod.ready();
  await pod.emulator.send("DELETE", "templates/demo");
  await pod.until("the template is missed", (file) => file.reason === "template_not_found", 30_000);
  expect(await pod.emulator.live(pod.label)).toHaveLength(1);
  await pod.emulator.event(instance?.id ?? 0, "stop");
  await until("it is destroyed", async () => (await pod.emulator.live(pod.label)).length === 0, { timeoutMs: 60_000 });
});
