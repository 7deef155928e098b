// VAST_POLICY=observe with the real process: it searches, says what it would rent, and sends nothing that changes the account.
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { logOf, openPod, type Pod } from "./pod.ts";

let pod: Pod;
beforeEach(async () => {
  pod = await openPod();
});
afterEach(() => pod.close());

const WAIT = { timeoutMs: 60_000 };
const wouldRent = async () =>
  (await pod.status()).wouldRent as { offer: { id: number } | null; message: string } | null;

test("VAST_POLICY=observe says which offer it would rent and why, and changes nothing", async () => {
  await pod.emulator.send("PUT", "offers", [
    { id: 801, dph_total: 0.9 },
    { id: 802, dph_total: 0.4 },
  ]);
  const child = await pod.provision({ VAST_POLICY: "observe" });
  const file = await pod.until("the plan is shown", (f) =>
    f.message.includes("suppressed by VAST_POLICY=observe: create"),
  );
  expect(file.server).toBeNull();
  const found = await until("the offer is shown", wouldRent, WAIT);
  expect(found).toMatchObject({ offer: { id: 802, dollarsPerHour: 0.4 } });
  expect(found.message).toMatch(
    /^would rent offer 802 \(.+, \$0\.4000\/h\) on machine \d+ of host \d+: the first of 2 /,
  );
  const lines = logOf(child).filter(({ msg }) => typeof msg === "string" && msg.startsWith("would rent"));
  expect(lines).toMatchObject([{ event: "progress", phase: "searching", offer: 802 }]);
  const page = await fetch(`http://127.0.0.1:${pod.env().PROVISIONER_STATUS_PORT}/`);
  expect(await page.text()).toContain("With VAST_POLICY=sync it would rent offer 802");
  await until("it has made more passes", async () => Number((await pod.status()).passes) >= 4, WAIT);
  const requests = await pod.emulator.requests();
  expect(requests.filter(({ path }) => path === "/api/v0/bundles/")).toHaveLength(1);
  expect(requests.filter(({ method }) => method === "PUT" || method === "DELETE")).toEqual([]);
  expect(await pod.emulator.mutations()).toEqual([]);
});

test("VAST_POLICY=observe says why nothing could be rented, as a create would", async () => {
  await pod.emulator.send("PUT", "offers", [{ id: 801, dph_total: 0.9 }]);
  await pod.provision({ VAST_POLICY: "observe", VAST_MAX_DPH: "0.5" });
  const found = await until("the reason is shown", wouldRent, WAIT);
  expect(found).toMatchObject({ offer: null });
  expect(found.message).toMatch(/^would rent nothing: .*1 above VAST_MAX_DPH \(the cheapest \$0\.9000\/h\)/);
  expect(await pod.emulator.mutations()).toEqual([]);
});
