// Interruptible instances, with real processes: a bid that is too low is raised, or the instance is replaced.
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { openPod, type Pod } from "./pod.ts";

let pod: Pod;
beforeEach(async () => {
  pod = await openPod({ proxy: true });
});
afterEach(() => pod.close());

const BIDS = { VAST_INSTANCE_TYPE: "interruptible", VAST_MAX_DPH: "1" };
const PATIENT_MS = 120_000;
const routes = (what: string) => until(what, async () => (await fetch(pod.proxyUrl)).status === 200);
const calls = async () =>
  (await pod.emulator.mutations()).map(({ method, path, body }) => {
    const price = (body as { price?: number } | null)?.price;
    return { call: `${method} ${path.replace(/\d+/g, (digits) => (digits.length > 2 ? "N" : digits))}`, price };
  });

async function servingByBid(env: Record<string, string> = {}) {
  await pod.provision({ ...BIDS, ...env });
  const { instance } = await pod.ready();
  await routes("nginx routes to it");
  const [create] = await calls();
  expect(create).toMatchObject({ call: "PUT /api/v0/asks/N/", price: expect.any(Number) });
  return { id: instance?.id ?? 0, bid: create?.price ?? 0 };
}

test("an instance that is outbid serves again when its bid is raised", async () => {
  // No create is left for a cheaper one.
  const { id, bid } = await servingByBid({ VAST_MAX_CREATES_PER_HOUR: "2" });
  await pod.emulator.event(id, "outbid");
  const raising = await pod.until("its bid is raised", (f) => f.reason === "raising_bid", PATIENT_MS);
  expect(raising).toMatchObject({ server: null, instance: { id } });
  const again = await pod.until("it serves again", (f) => f.server !== null, PATIENT_MS);
  expect(again.instance?.id).toBe(id);
  await routes("nginx routes to it again");
  const [, raise, ...others] = await calls();
  expect(raise?.call).toBe("PUT /api/v0/instances/bid_price/N/");
  expect(raise?.price).toBeGreaterThan(bid);
  expect(raise?.price).toBeLessThan(1);
  expect(others).toEqual([]);
});

test.each([
  ["above the ceiling", 2],
  ["much dearer than another instance", 0.7],
])("an instance whose winning bid is %s is replaced by another one with a bid", async (_, minBid) => {
  const { id } = await servingByBid();
  await pod.emulator.event(id, "outbid", { minBid });
  const other = await pod.until("another one serves", (f) => f.server && f.instance?.id !== id, PATIENT_MS);
  expect(other.instance?.id).not.toBe(id);
  await routes("nginx routes to the other one");
  expect(await calls()).toEqual([
    expect.objectContaining({ call: "PUT /api/v0/asks/N/" }),
    { call: "DELETE /api/v0/instances/N/", price: undefined },
    { call: "PUT /api/v0/asks/N/", price: expect.any(Number) },
  ]);
  expect(await pod.metric('vast_pod_destroys_total{reason="instance_outbid"}')).toBe("1");
});
