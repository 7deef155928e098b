// The end of a contract, with real processes: the instance is replaced before it, and what can be rented next is asked first.
import { afterEach, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { openPod, type Pod } from "./pod.ts";

let pod: Pod;
afterEach(() => pod.close());

const MARGIN = { VAST_END_MARGIN_SECONDS: "600" };
const calls = async () => (await pod.emulator.mutations()).map(({ method, path }) => `${method} ${path}`);

test("an instance is replaced before its contract ends, and /status says so beforehand", async () => {
  pod = await openPod({ proxy: true });
  await pod.provision(MARGIN);
  const first = await pod.ready();
  const id = first.instance?.id ?? 0;
  await until("nginx routes to it", async () => (await fetch(pod.proxyUrl)).status === 200);
  await pod.emulator.event(id, "ends-in", { seconds: 500 });

  const announced = await until("it is announced", async () => {
    const { next } = await pod.status();
    return next?.afterwards?.includes("contract_ending") ? next : null;
  });
  expect(announced).toMatchObject({
    waitsFor: expect.stringContaining("the end of its contract"),
    deadline: expect.any(String),
    afterwards: `instance ${id} is destroyed (contract_ending), and another one is created`,
  });
  const second = await pod.until("another one serves", (f) => f.server && f.instance?.id !== id, 120_000);
  expect(await calls()).toEqual([
    expect.stringMatching(/^PUT \/api\/v0\/asks\//),
    `DELETE /api/v0/instances/${id}/`,
    expect.stringMatching(/^PUT \/api\/v0\/asks\//),
  ]);
  await until("nginx routes to the other one", async () => (await fetch(pod.proxyUrl)).status === 200);
  const { history } = await pod.status();
  const why = history.find(({ reason }) => reason === "contract_ending");
  expect(why?.message).toMatch(/has a contract that ends at .*; it is replaced before that/);
  expect(await pod.metric('vast_pod_destroys_total{reason="contract_ending"}')).toBe("1");
  expect(second.instance?.id).not.toBe(id);
});

test("it serves to the end while no other offer can be taken, and the pod says what is in the way", async () => {
  pod = await openPod();
  await pod.provision({ ...MARGIN, VAST_MAX_DPH: "5" });
  const first = await pod.ready();
  const id = first.instance?.id ?? 0;
  await pod.emulator.send("PUT", "offers", []);
  await pod.emulator.event(id, "ends-in", { seconds: 500 });
  const held = await pod.until("it is held", (f) => f.reason === "no_offer", 120_000);
  expect(held).toMatchObject({ state: "blocked", instance: { id } });
  expect(held.server).not.toBeNull();
  expect(held.message).toMatch(/it serves on, because no other instance can be created/);
  expect(await calls()).toHaveLength(1);
});

test("with surge nginx answers all the time: the old instance ends when the new one serves", async () => {
  pod = await openPod({ proxy: true });
  await pod.provision({ ...MARGIN, VAST_UPDATE_STRATEGY: "surge" });
  const id = (await pod.routed()).instance?.id ?? 0;
  const statuses = new Set<number>();
  let watching = true;
  const watched = (async () => {
    // Each on a connection of its own: an old worker of nginx may close an idle one just when the client uses it again.
    while (watching) statuses.add((await fetch(pod.proxyUrl, { headers: { connection: "close" } })).status);
  })();
  await pod.emulator.event(id, "ends-in", { seconds: 500 });
  const second = await pod.until("another one serves", (f) => f.server && f.instance?.id !== id, 120_000);
  await until("the old one is gone", async () => (await pod.emulator.live(pod.label)).length === 1);
  watching = false;
  await watched;
  expect([...statuses]).toEqual([200]);
  expect((await pod.emulator.live(pod.label)).map((one) => one.id)).toEqual([second.instance?.id]);
  expect(await calls()).toEqual([
    expect.stringMatching(/^PUT \/api\/v0\/asks\//),
    expect.stringMatching(/^PUT \/api\/v0\/asks\//),
    `DELETE /api/v0/instances/${id}/`,
  ]);
});
