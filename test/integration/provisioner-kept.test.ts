// A serving instance is not given up for a new image while no other one could be created: it serves on and says why.
import { afterEach, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { openPod, type Pod } from "./pod.ts";

let pod: Pod;
afterEach(() => pod.close());

/** Serves, and wants another image than the one that is reported. */
async function differs(before: () => Promise<unknown>, env: Readonly<Record<string, string>> = {}) {
  pod = await openPod({ proxy: true });
  await pod.provision(env);
  const ready = await pod.ready();
  await until("nginx serves it", async () => (await fetch(pod.proxyUrl)).status === 200);
  await before();
  await pod.emulator.event("any", "image", { image: "other/app:9" });
  return ready;
}
const deletes = async () => (await pod.emulator.requests()).filter(({ method }) => method === "DELETE");

test.each([
  ["no offer is left", "no_offer", /because no other instance can be created: .*VAST_SEARCH_QUERY/, {}],
  ["the create budget is spent", "create_budget", /VAST_MAX_CREATES_PER_HOUR is 1/, { VAST_MAX_CREATES_PER_HOUR: "1" }],
] as const)(
  "%s: the instance serves on",
  async (what, reason, message, env) => {
    const ready = await differs(async () => {
      if (reason === "no_offer") await pod.emulator.send("PUT", "offers", []);
    }, env);
    const kept = await pod.until(what, (f) => f.reason === reason, 40_000);
    expect(kept).toMatchObject({ state: "blocked", server: ready.server, instance: { id: ready.instance?.id } });
    expect(kept.message).toMatch(/other\/app:9, but image example\/app:2 is wanted; it serves on/);
    expect(kept.message).toMatch(message);
    expect((await fetch(pod.proxyUrl)).status).toBe(200);
    expect(await deletes()).toEqual([]);
  },
  120_000,
);

test("the replacement is made when there is an offer again", async () => {
  const ready = await differs(() => pod.emulator.send("PUT", "offers", []));
  await pod.until("no offer is left", (f) => f.reason === "no_offer", 40_000);
  await pod.emulator.send("PUT", "offers", [{ id: 5_000_123, dph_total: 0.3 }]);
  const replaced = await pod.until("it is replaced", (f) => f.server && f.instance?.id !== ready.instance?.id, 90_000);
  expect((await pod.emulator.live(pod.label)).map(({ id }) => id)).toEqual([replaced.instance?.id]);
});

test("with VAST_UPDATE_PRECHECK=none it is destroyed although no offer is left", async () => {
  const ready = await differs(() => pod.emulator.send("PUT", "offers", []), { VAST_UPDATE_PRECHECK: "none" });
  await pod.until("nothing serves", (f) => f.server === null && f.reason === "no_offer", 60_000);
  expect((await deletes()).map(({ path }) => path)).toEqual([`/api/v0/instances/${ready.instance?.id}/`]);
  expect(await pod.emulator.live(pod.label)).toEqual([]);
});
