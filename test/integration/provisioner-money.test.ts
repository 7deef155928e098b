// What a pod costs, as the provisioner counts it and as the account says it: in /status, in the metrics and in the log.
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../sandbox/until.ts";
import { logOf, openPod, type Pod } from "./pod.ts";

let pod: Pod;
beforeEach(async () => {
  pod = await openPod({ timeScale: 60 });
});
afterEach(() => pod.close());

const PATIENT = { timeoutMs: 60_000 };
const status = (what: string, condition: (money: Awaited<ReturnType<Pod["status"]>>) => unknown) =>
  until(
    what,
    async () => {
      const document = await pod.status();
      return condition(document) ? document : null;
    },
    PATIENT,
  );

test("what was paid is counted, goes on after a restart, and is in /status and in the metrics", async () => {
  const first = await pod.provision();
  await pod.ready();
  const { money: before } = await status(
    "something is counted, and some of it while the instance serves",
    ({ money }) => money.paidDollars > 0.001 && money.wastedDollars < money.paidDollars,
  );
  expect(before.instanceDollars).toBeCloseTo(before.paidDollars);
  await first.stop();
  await pod.provision();
  const { money, instances } = await status(
    "it goes on, and the instance was listed",
    (s) => s.money.paidDollars > before.paidDollars && s.instances.length === 1,
  );
  expect(money).toMatchObject({ since: before.since, dollarsPerHour: instances[0]?.dollarsPerHour });
  expect(Number(await pod.metric("vast_pod_cost_dollars_total"))).toBeGreaterThanOrEqual(money.paidDollars);
  expect(Number(await pod.metric("vast_pod_wasted_dollars_total"))).toBeGreaterThanOrEqual(before.wastedDollars);
});

test("credit, what was billed and an announced price are read, and the operator is warned", async () => {
  await pod.emulator.send("POST", "account", { credit: 5000 });
  const first = await pod.provision();
  await pod.ready();
  await first.stop();
  await pod.emulator.event("any", "price-increase", { gpuPerHour: 9 });
  await pod.emulator.event("any", "traffic", { dollars: 12 });
  const provisioner = await pod.provision(); // charges are read after a start, and then each hour
  const { money, instances } = await status(
    "all is read",
    (s) => s.money.creditDollars !== null && s.money.billed !== null && s.instances[0]?.pendingPrice,
  );
  expect(money.creditDollars).toBeGreaterThan(4900);
  expect(money.billed?.dollars).toBeGreaterThan(12);
  expect(instances[0]?.pendingPrice?.dollarsPerHour).toBeGreaterThan(9);
  expect(instances[0]?.endsAt).not.toBeNull();
  expect(Number(await pod.metric("vast_pod_account_credit_dollars"))).toBeGreaterThan(4900);
  const warnings = () => logOf(provisioner).filter(({ event, level }) => event === "money" && level === "warn");
  await until("the warning", async () => warnings().length > 0, PATIENT);
  expect(String(warnings()[0]?.msg)).toMatch(/the host of instance \d+ .* asks for \$9\.\d+\/h instead of/);
});

test("a key that may not read the charges runs the pod all the same: what was billed is unknown", async () => {
  await pod.emulator.send("POST", "account", { scopes: ["misc", "user_read", "instance_read", "instance_write"] });
  const provisioner = await pod.provision();
  await pod.ready();
  await until("it is said", async () => logOf(provisioner).some(({ event }) => event === "money"), PATIENT);
  const { money, state } = await status("the credit is read", (s) => s.money.creditDollars !== null);
  expect([state, money.billed]).toEqual(["ready", null]);
});

test("a higher price is accepted where it stays under the ceiling, and the contract goes on", async () => {
  const provisioner = await pod.provision({ VAST_PRICE_INCREASE: "accept-under-max", VAST_MAX_DPH: "2" });
  const { instance } = await pod.ready();
  const before = (await pod.status()).instances[0]?.endsAt ?? "";
  await pod.emulator.event(instance?.id ?? 0, "price-increase", { gpuPerHour: 1.5 });
  const accepted = () => logOf(provisioner).map(({ msg }) => String(msg));
  await until("it is accepted", async () => accepted().some((line) => line.endsWith("it is accepted")), PATIENT);
  await until("it is verified", async () => accepted().some((line) => line.includes("goes on until")), PATIENT);
  const { instances } = await pod.status();
  expect(Date.parse(instances[0]?.endsAt ?? "")).toBeGreaterThan(Date.parse(before));
  const calls = (await pod.emulator.mutations()).map(({ method, path }) => `${method} ${path}`);
  expect(calls.slice(1)).toEqual(["PUT /api/v0/instances/accept-price-increase/"]);
});
