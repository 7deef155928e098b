// A restarted provisioner knows what the killed one knew: budgets, suppressed replacements and backoff continue.
import { afterEach, expect, test } from "vitest";
import type { Child } from "../sandbox/child.ts";
import { until } from "../sandbox/until.ts";
import { openPod, type Pod, type PodOptions } from "./pod.ts";

let pod: Pod;
const open = async (options?: PodOptions) => {
  pod = await openPod(options);
};
afterEach(() => pod.close());

/** Kills it with SIGKILL and starts another one; resolves when that one has made a few passes. */
async function restarted(provisioner: Child, settings: Readonly<Record<string, string>> = {}): Promise<Child> {
  provisioner.signal("SIGKILL");
  await provisioner.exited;
  const next = await pod.provision(settings);
  await until("the next one has made passes", async () => Number((await pod.status()).passes) >= 3, {
    timeoutMs: 40_000,
  });
  return next;
}

test("a spent budget of creates is still spent after a restart", async () => {
  await open();
  const settings = { VAST_MAX_CREATES_PER_HOUR: "1" };
  const first = await pod.provision(settings);
  await pod.ready();
  await pod.emulator.event("any", "kill");
  const spent = await pod.until("the budget is spent", (f) => f.reason === "create_budget", 40_000);
  await restarted(first, settings);
  expect(await pod.upstream()).toMatchObject({ state: "blocked", reason: "create_budget", message: spent.message });
  expect((await pod.emulator.state()).instances).toHaveLength(1);
});

test("a difference that a replacement did not fix causes no further replacement after a restart", async () => {
  // Rows appear so late that each instance is first listed with another image than the desired one.
  await open({ emulator: { visibilityLagSeconds: 40 } });
  const first = await pod.provision();
  for (const count of [1, 2]) {
    const created = async () => (await pod.emulator.state()).instances.length === count;
    await until(`instance ${count} is created`, created, { timeoutMs: 40_000 });
    await pod.emulator.event("any", "image", { image: "other/app:9" });
  }
  const blocked = await pod.until("it is not chased again", (f) => f.reason === "not_converging", 40_000);
  expect(blocked.message).toMatch(/other\/app:9.*example\/app:2/);
  const before = (await pod.emulator.mutations()).length;
  await restarted(first);
  expect(await pod.upstream()).toMatchObject({ reason: "not_converging", instance: { id: blocked.instance?.id } });
  expect((await pod.emulator.mutations()).length).toBe(before);
});

test("the backoff after a failure continues after a restart instead of starting again", async () => {
  await open();
  const settings = { VAST_SEARCH_QUERY: JSON.stringify({ gpu_name: { eq: "RTX 9999" } }) };
  const first = await pod.provision(settings);
  const backoff = async () => (await pod.state()).backoff as { failures: number; until: number } | null;
  // The third wait lasts two minutes, longer than the restart.
  const before = await until(
    "it waits for the third time",
    async () => {
      const wait = await backoff();
      return wait !== null && wait.failures >= 3 ? wait : null;
    },
    { timeoutMs: 60_000 },
  );
  await restarted(first, settings);
  expect(await backoff()).toEqual(before);
  expect(await pod.upstream()).toMatchObject({ state: "blocked", reason: "no_offer" });
});
