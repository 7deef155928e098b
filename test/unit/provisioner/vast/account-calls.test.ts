import { describe, expect, test } from "vitest";
import { acceptIncrease, readCharges, readPriceIncreases } from "../../../../provisioner/vast/account-calls.ts";
import type { ApiCall } from "../../../../provisioner/vast/transport.ts";
import { LABEL, NOW } from "../plan/situation.ts";

/** Answers in order, the last one again and again; and the calls. */
function api(...answers: Record<string, unknown>[]) {
  const calls: ApiCall[] = [];
  const send = async (call: ApiCall) => {
    calls.push(call);
    return answers[Math.min(calls.length, answers.length) - 1] ?? {};
  };
  return { calls, send };
}

const DAY = 86_400_000;
const charge = (amount: unknown, label: string | null) => ({ amount, metadata: { label }, source: "instance-1" });

describe("price increases", () => {
  test("are read with the factor of the price; a row without the price now is never accepted, one that cannot be read left out", async () => {
    const row = {
      pending_price_increase_id: "7",
      contract_id: 312,
      old_gpu_costpersec: 0.0001,
      new_gpu_costpersec: "0.000125",
      contract_end_date: 1_790_000_000,
    };
    const { send, calls } = api({
      pending_price_increases: [
        row,
        { contract_id: 5 },
        { ...row, old_gpu_costpersec: 0 },
        { ...row, old_gpu_costpersec: null },
      ],
    });
    const asked = { id: 7, instanceId: 312, gpuDollarsPerHour: expect.closeTo(0.45), endsAt: 1_790_000_000_000 };
    const unknownBefore = { ...asked, factor: null, otherCosts: true };
    expect(await readPriceIncreases(send)).toEqual([
      { ...asked, factor: expect.closeTo(1.25) },
      unknownBefore,
      unknownBefore,
    ]);
    expect(calls).toMatchObject([{ method: "GET", endpoint: "price_increases", retryRateLimited: false }]);
  });

  test("are marked where disk, traffic or fees become dearer too, or cannot be read", async () => {
    const base = { pending_price_increase_id: 7, contract_id: 312, old_gpu_costpersec: 1, new_gpu_costpersec: 2 };
    const marked = async (more: object) => {
      const [read] = await readPriceIncreases(api({ pending_price_increases: [{ ...base, ...more }] }).send);
      return read?.otherCosts;
    };
    expect(await marked({ new_bwu_cost: null, old_bwu_cost: 0 })).toBeUndefined();
    expect(await marked({ new_bwu_cost: 0.01, old_bwu_cost: "0.01" })).toBeUndefined();
    expect(await marked({ new_disk_ram_costpersec: 0.02, old_disk_ram_costpersec: 0.01 })).toBe(true);
    expect(await marked({ new_platform_fee: 1 })).toBe(true);
    expect(await marked({ new_bwd_cost: "much", old_bwd_cost: 1 })).toBe(true);
  });

  test("are accepted by their id, with nothing else in the body", async () => {
    const { send, calls } = api({ success: true });
    await acceptIncrease(send, 7, () => true);
    const path = "/api/v0/instances/accept-price-increase/";
    expect(calls).toMatchObject([
      { method: "PUT", path, body: { pending_price_increase_id: 7 }, endpoint: "accept_price" },
    ]);
  });

  test.each([{}, { pending_price_increases: null }])("are unknown, not none, in %j", async (body) => {
    await expect(readPriceIncreases(api(body).send)).rejects.toMatchObject({ kind: "malformed" });
  });
});

describe("charges", () => {
  test("are summed by label over all pages", async () => {
    const { send, calls } = api(
      { results: [charge(1.5, LABEL), charge("0.25", LABEL)], next_token: "t" },
      { results: [charge(4, null), charge(1, LABEL)], next_token: null },
    );
    expect(await readCharges(send, NOW - DAY, NOW)).toEqual({ [LABEL]: 2.75, "": 4 });
    const filters = { day: { gte: (NOW - DAY) / 1000, lte: NOW / 1000 }, type: { in: ["instance"] } };
    expect(calls).toMatchObject([
      { query: { select_filters: filters, limit: "500" }, endpoint: "charges" },
      { query: { select_filters: filters, after_token: "t" } },
    ]);
  });

  test.each([
    ["without results", { success: true }],
    ["with an amount that is none", { results: [charge("much", LABEL)] }],
    ["with pages without end", { results: [charge(1, LABEL)], next_token: "again" }],
  ])("are unknown %s", async (_, body) => {
    await expect(readCharges(api(body).send, NOW - DAY, NOW)).rejects.toMatchObject({ kind: "malformed" });
  });
});
