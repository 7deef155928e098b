import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EVENTS } from "../../emulator/instances/events.ts";
import { rowsOf, START, type Trial, trial } from "./harness.ts";

/** For hundreds of runs on a busy machine. */
const PATIENT = { timeout: 180_000 };

/** One action of somebody. `pick` chooses its target. */
type Step = { act: string; pick: number };
const ACTS = [
  "create",
  "bid",
  "stopped",
  "running",
  "destroy",
  "reboot",
  "recycle",
  "pass",
  "pass",
  "market",
  ...EVENTS.keys(),
];
const steps = fc.array(fc.record({ act: fc.constantFrom(...ACTS), pick: fc.nat(1000) }), { maxLength: 60 });

const BODIES: Record<string, object> = {
  image: { image: "x/y:1" },
  label: { label: "l" },
  slow: { delayMs: 5 },
  fail: { status: 500 },
  row: { gpu_util: 1 },
  "price-increase": { gpuPerHour: 1 },
  traffic: { dollars: 0.1 },
};

function take(t: Trial, { act, pick }: Step): void {
  const { world } = t.emulator;
  const offers = [...world.market.offers.keys(), ...world.market.withdrawn.keys()];
  const ids = [...world.instances.keys()];
  const offer = offers[pick % offers.length];
  const id = ids[pick % Math.max(1, ids.length)] ?? 1;
  const create = { image: "example/app:1", env: { "-p 8000:8000": "1" }, disk: 10, cancel_unavail: pick % 2 === 0 };
  if (act === "create") t.api("PUT", `/api/v0/asks/${offer}/`, create);
  else if (act === "bid") t.api("PUT", `/api/v0/asks/${offer}/`, { ...create, price: 0.001 + pick / 1000 });
  else if (act === "stopped" || act === "running") t.api("PUT", `/api/v0/instances/${id}/`, { state: act });
  else if (act === "destroy") t.api("DELETE", `/api/v0/instances/${id}/`);
  else if (act === "reboot" || act === "recycle") t.api("PUT", `/api/v0/instances/${act}/${id}/`);
  else if (act === "pass") t.pass(pick * pick);
  else if (act === "market") t.order("PUT", "offers", [{ machine_id: 20_001 }, { num_gpus: 2 }, { dph_base: 0.1 }]);
  else t.order("POST", `instances/${id}/${act}`, { ...BODIES[act] });
}

function check(t: Trial): void {
  const { world } = t.emulator;
  for (const instance of world.live.values()) {
    const held = instance.cards.filter((card) => instance.machine.holders[card] === instance.id);
    const holds = instance.curState === "running" ? instance.cards.length : 0;
    expect(held.length, `${instance.id} is ${instance.curState} and holds ${held.length} cards`).toBe(holds);
    if (instance.serving) expect(instance.actualStatus, `${instance.id} serves`).not.toBe("loading");
  }
  for (const instance of world.instances.values()) {
    if (!world.live.has(instance.id)) expect(instance.machine.holders).not.toContain(instance.id);
  }
  for (const offer of world.market.offers.values()) {
    expect(
      offer.gpus.every((card) => offer.machine.holders[card] === null),
      `offer ${offer.id} is free`,
    ).toBe(true);
  }
  const ports = t.emulator.endpoints().map((one) => `${one.ip}:${one.port}`);
  expect(new Set(ports).size).toBe(ports.length);
  const visible = [...world.instances.values()].filter((one) => one.destroyedAt === null).length;
  expect(t.api("GET", "/api/v1/instances/").body.total_instances).toBe(visible);
}

describe("whatever happens in whatever order", () => {
  it("gives each GPU one holder, offers only free GPUs, and never lowers a bill", PATIENT, () => {
    fc.assert(
      fc.property(steps, fc.nat(50), (list, seed) => {
        const t = trial({ machines: 3, seed, settings: { advertise: "127.0.0.1" } });
        const bills = new Map<number, number>();
        for (const step of list) {
          take(t, step);
          check(t);
          for (const { id, bill } of t.emulator.world.instances.values()) {
            const total = bill.gpuDollars + bill.diskDollars;
            expect(total).toBeGreaterThanOrEqual(bills.get(id) ?? 0);
            bills.set(id, total);
          }
        }
      }),
      { numRuns: 400 },
    );
  });

  it("bills at most the time since the create at the full price", PATIENT, () => {
    fc.assert(
      fc.property(steps, (list) => {
        const t = trial({ machines: 3 });
        const priced = list.filter(({ act }) => act !== "bid" && act !== "outbid");
        const lost = priced.some(({ act }) => act === "offline" || act === "unknown");
        for (const step of priced) take(t, step);
        t.pass(3600);
        for (const row of rowsOf(t.order("GET", "state"), "instances")) {
          const { gpu, disk } = row.cost as { gpu: number; disk: number };
          const end = typeof row.destroyedAt === "string" ? Date.parse(row.destroyedAt) : t.now();
          const hours = (end - Date.parse(String(row.createdAt))) / 3_600_000;
          expect(hours).toBeGreaterThanOrEqual(0);
          expect(gpu).toBeLessThanOrEqual(hours * Number(row.dph_base) + 1e-9);
          // Nothing is charged while the API does not hear from the machine.
          if (lost) expect(disk).toBeLessThanOrEqual(hours * Number(row.storage_total_cost) + 1e-6);
          else expect(disk).toBeCloseTo(hours * Number(row.storage_total_cost), 6);
          expect(Date.parse(String(row.createdAt))).toBeGreaterThanOrEqual(START);
        }
      }),
      { numRuns: 200 },
    );
  });
});
