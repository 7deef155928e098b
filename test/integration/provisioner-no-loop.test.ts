// A difference that a replacement does not mend costs one replacement, not one after the other.
import { afterEach, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { openPod, type Pod } from "./pod.ts";

let pod: Pod;
afterEach(() => pod.close());

const calls = async (method: string) =>
  (await pod.emulator.requests()).filter((one) => one.method === method && /asks|instances/.test(one.path));

test("an image that is reported with its digest once it runs is replaced once, and then serves", async () => {
  pod = await openPod({ bootSeconds: 8 });
  const images = { "example/app:2": { runningAs: "example/app:2@sha256:4e17" } };
  await pod.emulator.send("POST", "settings", { images });
  await pod.provision();
  const kept = await pod.until("it is kept", (f) => f.server && f.reason === "not_converging", 60_000);
  expect(kept.message).toMatch(/example\/app:2@sha256:4e17.*example\/app:2 is wanted.*correct it/);
  // It agreed while it booted: the memory of the first replacement must outlive that, and a list or two more.
  const at = Number((await pod.status()).passes);
  await until("it has made more passes", async () => Number((await pod.status()).passes) > at + 3, {
    timeoutMs: 60_000,
  });
  expect([(await calls("PUT")).length, (await calls("DELETE")).length]).toEqual([2, 1]);
  expect(await pod.state()).toMatchObject({ converging: { wanted: "image example/app:2" } });
});

test("two provisioners without Redis that want different images under one label stop, and both serve", async () => {
  pod = await openPod({ bootSeconds: 8 });
  const port = String(await pod.sandbox.port());
  const folder = await pod.sandbox.subfolder("other");
  const other = {
    STATE_PATH: `${folder}/provisioner.json`,
    UPSTREAM_PATH: `${folder}/upstream.json`,
    PROVISIONER_STATUS_PORT: port,
    VAST_TEMPLATE_IMAGE: "example/app:3",
  };
  await pod.provision();
  await pod.ready();
  await pod.provision(other);
  const statuses = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/status`).catch(() => null);
    return [await pod.status(), ((await answer?.json()) ?? {}) as Record<string, unknown>];
  };
  const settled = async () => {
    const all = await statuses();
    const said = all.filter(({ reason }) => reason === "not_converging" || reason === "other_owner");
    return said.length > 0 && all.every(({ server }) => server) ? said : null;
  };
  const said = await until("one of them gives up", settled, { timeoutMs: 100_000 });
  expect(said[0]?.message).toMatch(/its own VAST_LABEL/);
  // Two pods with one key are also refused for the rate limit: that is not counted.
  const count = async (method: string) => (await calls(method)).filter(({ status }) => status === 200).length;
  const counts = async () => [await count("DELETE"), await count("PUT")];
  const passesOf = async () => (await statuses()).map(({ passes }) => Number(passes));
  const morePasses = async () => {
    const at = await passesOf();
    await until("both have made more passes", async () => (await passesOf()).every((n, i) => n > (at[i] ?? 0) + 5), {
      timeoutMs: 60_000,
    });
  };
  // Each has replaced once; where both created at the same time, both destroyed the other's as a duplicate.
  const unchanged = async () => {
    const before = await counts();
    await morePasses();
    return String(await counts()) === String(before);
  };
  await until("nothing is created or destroyed any more", unchanged, { timeoutMs: 120_000 });
  const [deletes, creates] = await counts();
  expect(deletes).toBeLessThanOrEqual(7);
  expect(creates).toBeLessThanOrEqual(9);
  // Two where each serves its own and destroys the other's no more.
  expect((await pod.emulator.live(pod.label)).length).toBeLessThanOrEqual(2);
});
