// Pods that rent with bids, and the laws about bids: each fails when the program has the bug that it is meant to find.
import { describe, expect, test } from "vitest";
import type { Dependencies } from "../../provisioner/commands/dependencies.ts";
import type { JsonObject } from "../emulator/json.ts";
import { judge } from "./laws/all.ts";
import { forgetful, isList, rowsOf, withCalls } from "./planted-calls.ts";
import type { Injection } from "./scenario.ts";
import { instanceEvent, MINUTE_MS, scenarioWith } from "./scenario-with.ts";
import { simulate } from "./simulation.ts";

const CEILING = 0.8;

interface Given {
  injections?: Injection[];
  emulator?: JsonObject;
  env?: Record<string, string>;
  surgePods?: readonly number[];
  plant?: (dependencies: Dependencies) => Dependencies;
}

async function runOf({ injections = [], emulator = {}, env = {}, surgePods = [], plant }: Given) {
  const ofBids = { VAST_INSTANCE_TYPE: "interruptible", VAST_MAX_DPH: String(CEILING), ...env };
  const scenario = scenarioWith(injections, {
    faultyMinutes: 20,
    emulator,
    surgePods,
    bids: { pods: [0], env: ofBids },
  });
  const { truth } = await simulate(scenario, plant === undefined ? {} : { alter: plant });
  const laws = [...new Set(judge(truth).map(({ law }) => law))];
  const own = truth.contracts.filter(({ label }) => label === truth.pods[0]?.label);
  return { truth, laws, own, served: new Set(truth.pods[0]?.serving.map(({ id }) => id)) };
}

describe("a pod that rents with bids", () => {
  test("bids for its instance, and raises the bid of one that is outbid: the same one serves again", async () => {
    const { truth, laws, own, served } = await runOf({ injections: [instanceEvent(10, "outbid")] });
    expect(laws).toEqual([]);
    expect(own).toHaveLength(1);
    expect(served.size).toBe(1);
    const [first, raised] = truth.bids;
    expect(truth.bids).toHaveLength(2);
    expect(raised?.dollarsPerHour).toBeGreaterThan(first?.dollarsPerHour ?? 1);
    const [stopped] = own[0]?.stopped ?? [];
    expect((stopped?.to ?? Number.NaN) - (stopped?.from ?? 0)).toBeLessThan(40_000);
  });

  test.each(["stopped", "running"])(
    "replaces it within a minute where a winning bid is above the ceiling (intended status %s)",
    async (outbidIntendedStatus) => {
      const injections = [instanceEvent(10, "outbid", { minBid: 2 })];
      const { truth, laws, own } = await runOf({ injections, emulator: { outbidIntendedStatus } });
      expect(laws).toEqual([]);
      expect(own).toHaveLength(2);
      const [stopped] = own[0]?.stopped ?? [];
      expect((own[0]?.endedAt ?? Number.NaN) - (stopped?.from ?? 0)).toBeLessThan(60_000);
      expect(truth.bids).toHaveLength(2);
    },
  );

  test("raises a bid that was accepted and starts stopped, and gives up no machine for it", async () => {
    const emulator = { lowBid: "accepted-stopped", outbidAtCreateProbability: 1 };
    const { laws, own, served } = await runOf({ emulator });
    expect(laws).toEqual([]);
    expect(own).toHaveLength(1);
    expect(served.size).toBe(1);
  });

  test.each(["stopped-contract", "no_such_ask"])(
    "rents on demand after three bids that failed within an hour, in the form %s",
    async (lowBid) => {
      const { truth, laws, own, served } = await runOf({ emulator: { lowBid, outbidAtCreateProbability: 1 } });
      expect(laws).toEqual([]);
      expect(served.size).toBe(1);
      expect(own.at(-1)?.stopped).toEqual([]);
      expect(truth.pods[0]?.serving[0]?.from).toBeLessThan(truth.start + 15 * 60_000);
    },
  );

  test("goes on bidding without the fallback, within its budget", async () => {
    const injections = [3, 8, 13, 18].map((minute) => instanceEvent(minute, "outbid", { minBid: 2 }));
    const { truth, laws, own } = await runOf({ injections, env: { VAST_BID_FALLBACK: "none" } });
    expect(laws).toEqual([]);
    expect(truth.bids).toHaveLength(5);
    expect(own).toHaveLength(5);
  });
});

test("a surge whose new instance is outbid has failed, and is tried again: it is not taken for a duplicate", async () => {
  const crowd = { lowBid: "accepted-stopped", outbidAtCreateProbability: 1 };
  const injections: Injection[] = [
    { kind: "api-settings", at: 8 * MINUTE_MS, forMs: 7 * MINUTE_MS, set: crowd },
    { kind: "image", at: 9 * MINUTE_MS, image: "example/app:2", losesDisk: false },
  ];
  const { truth, laws, own } = await runOf({ injections, surgePods: [0] });
  expect(laws).toEqual([]);
  expect(own.length).toBeGreaterThan(2);
  expect(own[1]?.stopped).toHaveLength(1);
  expect(truth.pods[0]?.serving.at(-1)?.shows).toMatch(/^example\/app:2 /);
});

test("law 18: a program that misreads the price of a disk bids above its ceiling", async () => {
  const injections = [instanceEvent(10, "outbid", { minBid: 0.75 })];
  const misreads = withCalls(async (call, pass) => {
    if (!isList(call)) return "pass";
    const answer = await pass();
    return { ...answer, instances: rowsOf(answer).map((row) => ({ ...row, storage_total_cost: 0 })) };
  });
  expect((await runOf({ injections })).laws).toEqual([]);
  expect((await runOf({ injections, plant: misreads })).laws).toContain("bid-ceiling");
});

test("law 19: a program that does not destroy an instance that was outbid leaves it stopped and billed", async () => {
  const injections = [instanceEvent(10, "outbid", { minBid: 2 })];
  expect((await runOf({ injections, plant: forgetful() })).laws).toContain("stopped-bid");
});
