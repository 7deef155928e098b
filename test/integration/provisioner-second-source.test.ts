// While the API fails to list, the one instance that is known is asked for by its id: it serves on, and its loss is seen.
import { afterEach, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { openPod, type Pod } from "./pod.ts";

let pod: Pod;
afterEach(() => pod.close());

const LIST = "^/api/v1/instances/";
const ids = async () => (await pod.emulator.live(pod.label)).map(({ id }) => id);

test("the list answers 500: the instance serves on, its loss is seen, and another one is created when the list is back", async () => {
  pod = await openPod();
  await pod.provision();
  const { instance, server } = await pod.ready();
  await pod.emulator.send("POST", "faults", { method: "GET", path: LIST, times: 0, effect: { status: 500 } });

  const status = await until(
    "the instance is asked for by its id",
    async () => {
      const now = await pod.status();
      return now.list?.known === false && now.instances.length === 1 ? now : null;
    },
    { timeoutMs: 60_000 },
  );
  expect(status.list?.why).toMatch(/only the instance below is known.*HTTP 500/);
  expect(status).toMatchObject({ reason: "instance_ready", instances: [{ id: instance?.id, current: true }] });
  expect(await pod.upstream()).toMatchObject({ state: "ready", server, instance: { id: instance?.id } });

  // Another image is wanted: what serves is kept, because another instance can only be created by a list.
  await pod.emulator.event("any", "image", { image: "example/app:1" });
  const kept = await pod.until("the change is seen", (f) => f.reason === "image_changed", 60_000);
  expect(kept).toMatchObject({ state: "ready", server });
  expect(kept.message).toMatch(/waiting for the instance list, which is unknown/);
  expect(await ids()).toEqual([instance?.id]);
  await pod.emulator.event("any", "image", { image: "example/app:2" });
  await pod.until("it is as wanted again", (f) => f.reason === "instance_ready", 60_000);

  await pod.emulator.event("any", "exit");
  await until("the lost instance is destroyed", async () => (await ids()).length === 0, { timeoutMs: 120_000 });
  expect((await pod.emulator.state()).instances).toHaveLength(1);
  expect(await pod.upstream()).toMatchObject({ server: null });

  await pod.emulator.send("DELETE", "faults");
  const next = await pod.until("another one serves", (f) => f.server, 60_000);
  expect(next.instance?.id).not.toBe(instance?.id);
  expect(await ids()).toEqual([next.instance?.id]);
});
