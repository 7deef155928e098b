// An instance that cannot be destroyed serves on: its end is undone, and a roll back of the image finds it as it was.
import { rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { Child } from "../sandbox/child.ts";
import { until } from "../sandbox/until.ts";
import { openPod, type Pod } from "./pod.ts";

let pod: Pod;
afterEach(() => pod.close());

const deletes = async () => (await pod.emulator.requests()).filter((request) => request.method === "DELETE");

async function restarted(provisioner: Child, image: string): Promise<Child> {
  provisioner.signal("SIGTERM");
  await provisioner.exited;
  return pod.provision({ VAST_TEMPLATE_IMAGE: image });
}

test("a key without the right to destroy: the old instance serves on, and is kept when its image is wanted again", async () => {
  pod = await openPod({ proxy: true });
  const first = await pod.provision();
  const ready = await pod.ready();
  await pod.emulator.send("POST", "account", { scopes: ["misc", "user_read", "instance_read"] });

  const second = await restarted(first, "example/app:3");
  const refused = await pod.until("the destroy is refused", (f) => f.reason === "destroy_refused", 40_000);
  expect(refused).toMatchObject({ state: "blocked", server: ready.server, instance: { id: ready.instance?.id } });
  expect(refused.message).toMatch(/give the key the right instance_write/);
  expect(await deletes()).toMatchObject([{ status: 403 }]);
  await until("its end is undone", async () => JSON.stringify((await pod.state()).pendingDeletes) === "[]");
  const answers = async () => (await fetch(pod.proxyUrl)).status;
  await until("nginx routes to it again", async () => (await answers()) === 200);

  const third = await restarted(second, "example/app:2");
  const again = await pod.until("its image is wanted again", (f) => f.reason === "instance_ready", 40_000);
  expect(again.instance?.id).toBe(ready.instance?.id);
  await pod.emulator.send("POST", "account", { scopes: null });
  expect(await answers()).toBe(200);
  expect((await pod.emulator.live(pod.label)).map(({ id }) => id)).toEqual([ready.instance?.id]);

  // With the right again the same change is carried out, after the wait that the refusal left.
  await restarted(third, "example/app:3");
  const replaced = await pod.until("it is replaced", (f) => f.server && f.instance?.image === "example/app:3", 60_000);
  expect(replaced.instance?.id).not.toBe(ready.instance?.id);
  expect((await pod.emulator.live(pod.label)).map(({ id }) => id)).toEqual([replaced.instance?.id]);
});

test("a state volume that cannot be written: nothing is withdrawn until it can be written again", async () => {
  pod = await openPod();
  await pod.provision();
  const ready = await pod.ready();
  const folder = dirname(pod.statePath);
  await rename(folder, `${folder}.aside`);
  await writeFile(folder, "in the way");
  await pod.emulator.event("any", "image", { image: "other/app:9" });
  const kept = await pod.until("the change is seen", (f) => f.reason === "image_changed", 40_000);
  expect(kept).toMatchObject({ state: "ready", server: ready.server });
  expect(kept.message).toMatch(/state file cannot be written: make its volume writable/);
  await until("the status shows it", async () => /STATE_PATH/.test(String((await pod.status()).problem)));
  expect(await deletes()).toEqual([]);

  await rename(folder, `${folder}.file`);
  await rename(`${folder}.aside`, folder);
  const replaced = await pod.until("it is replaced", (f) => f.server && f.instance?.id !== ready.instance?.id, 60_000);
  expect((await pod.emulator.live(pod.label)).map(({ id }) => id)).toEqual([replaced.instance?.id]);
});
