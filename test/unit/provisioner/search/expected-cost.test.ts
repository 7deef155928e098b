import { describe, expect, test } from "vitest";
import { byExpectedCost, expectedCost, recordKeys } from "../../../../provisioner/search/expected-cost.ts";
import { EMPTY_RECORD, type MachineRecord, type Records } from "../../../../provisioner/state/records.ts";
import { HOUR, MINUTE, offer } from "../plan/situation.ts";

const record = (over: Partial<MachineRecord>): MachineRecord => ({ ...EMPTY_RECORD, ...over });
const good = record({ boots: 10, readyMs: 10 * 3 * MINUTE, servedMs: 2000 * HOUR });
const usual = { duration: 90 * 86_400, storage_total_cost: 0.012 };
const one = (fields: object = {}, over: object = {}) =>
  offer({ hostId: 5, machineId: 50, dollarsPerHour: 0.2, fields: { ...usual, ...fields }, ...over });
const cost = (records: Records, fields: object = {}) => expectedCost(one(fields), records).dollarsPerHour ?? 0;

describe("the expected cost of an offer", () => {
  test("is its price, and what one start and one end are billed, where nothing is known", () => {
    const boot = (0.2 * 120 + 0.012 * (300 - 90)) / 3600;
    const failed = (0.05 / 0.95) * 0.012 * (1200 / 3600);
    expect(cost({}, { duration: undefined })).toBeCloseTo(0.2 + (boot + failed) / 48, 9);
  });

  test("counts only what is billed: loading and hanging in a start cost the disk, not the GPU", () => {
    const served = { ends: 1, servedMs: 48 * HOUR };
    const quick = record({ ...served, boots: 1000, readyMs: 1000 * 2 * MINUTE });
    const slow = { ...quick, readyMs: 1000 * 62 * MINUTE };
    expect(cost({ m50: slow }) - cost({ m50: quick })).toBeCloseTo(0.012 / 48, 5);
    const failing = { ...quick, boots: 500, failures: 500, readyMs: 500 * 2 * MINUTE };
    expect(cost({ m50: failing }) - cost({ m50: quick })).toBeCloseTo((0.012 * (1200 / 3600)) / 48, 5);
    expect(cost({ m50: slow }, { storage_total_cost: undefined })).toBeCloseTo(0.2 + (0.2 * 120) / 3600 / 48, 5);
  });

  test("takes for the disk's price what the whole price has beside the GPU's, where the API does not tell it", () => {
    const parts = { storage_total_cost: undefined, dph_base: 0.2 - 0.012 };
    expect(cost({}, parts)).toBeCloseTo(cost({}), 9);
  });

  test("counts the app's start as long as the latest ones took", () => {
    const record = { m50: { ...good, ends: 100, servedMs: 100 * HOUR } };
    const costAt = (appMs: number | null) => expectedCost(one(), record, appMs).dollarsPerHour ?? 0;
    expect(costAt(null)).toBe(costAt(90_000));
    expect(costAt(120_000) - costAt(60_000)).toBeGreaterThan(0.002);
    expect(costAt(HOUR)).toBe(costAt(10 * HOUR)); // no longer than the machine took until it was ready
  });

  test("grows with early ends: each costs another start and the rest of a grace", () => {
    const halfHours = record({ boots: 1000, readyMs: 1000 * 90_000, ends: 1000, servedMs: 500 * HOUR });
    expect(cost({ m50: halfHours })).toBeCloseTo(0.2 + (0.2 * 120) / 3600 / 0.5, 3);
  });

  test("grows with starts that failed, with early ends, and with slow starts on the machine", () => {
    expect(cost({ m50: record({ failures: 2 }) })).toBeGreaterThan(cost({}));
    expect(cost({ m50: record({ failures: 3 }) })).toBeGreaterThan(cost({ m50: record({ failures: 2 }) }));
    expect(cost({ m50: record({ boots: 3, ends: 3, servedMs: HOUR }) })).toBeGreaterThan(1.004 * 0.2);
    const slow = record({ boots: 3, readyMs: 3 * HOUR });
    expect(cost({ m50: slow })).toBeGreaterThan(cost({ m50: { ...slow, readyMs: MINUTE } }));
  });

  test("falls with a good record", () => {
    expect(cost({ m50: good })).toBeLessThan(cost({}));
    expect(cost({ h5: good })).toBeLessThan(cost({}));
  });

  test("believes the machine more than its host", () => {
    const bad = record({ failures: 6 });
    const both = record({ boots: 10, failures: 6, readyMs: 10 * 3 * MINUTE, servedMs: 2000 * HOUR });
    expect(cost({ m50: good, h5: both })).toBeLessThan(cost({ m50: bad, h5: both }));
    expect(cost({ h5: bad })).toBeGreaterThan(cost({}));
  });

  test("learns from all machines what is usual", () => {
    expect(cost({ all: record({ boots: 50, failures: 50, ends: 50, servedMs: 25 * HOUR }) })).toBeGreaterThan(
      1.015 * 0.2,
    );
  });

  test("counts a reliability that is worse than usual, within limits, and none that is missing", () => {
    expect(cost({}, { reliability2: 0.95 })).toBeGreaterThan(cost({}));
    expect(cost({}, { reliability2: 0.5 })).toBe(cost({}, { reliability2: 0.95 }));
    expect(cost({}, { reliability2: 0.999 })).toBeLessThan(cost({}));
  });

  test("spreads the boot over a contract that ends soon", () => {
    expect(cost({}, { duration: 3600 })).toBeGreaterThan(1.03 * cost({}));
    expect(cost({}, { duration: undefined })).toBeCloseTo(cost({}), 4);
  });

  test("counts what the download of an image costs", () => {
    const record = { m50: EMPTY_RECORD };
    expect(cost(record, { inet_down_cost: 0.1, duration: 3600 }) - cost(record, { duration: 3600 })).toBeGreaterThan(
      0.8,
    );
  });

  test("is not known without a price, or after the contract's end", () => {
    expect(expectedCost(one({}, { dollarsPerHour: null }), {}).dollarsPerHour).toBeNull();
    expect(expectedCost(one({ duration: 0 }), {}).dollarsPerHour).toBeNull();
  });

  test("is explained in a sentence", () => {
    const { why } = expectedCost(one(), {
      m50: record({ boots: 3, failures: 1, ends: 1, servedMs: 30 * HOUR, readyMs: HOUR / 4 }),
    });
    expect(why).toMatch(
      /^estimate: 0\.2000 price \+ 0\.00\d\d boot and end \+ 0\.00\d\d failed starts \+ 0\.0000 download of the image; /,
    );
    expect(why).toMatch(
      /; serves \d+(\.\d)? [hd] on average, 1\d % of starts fail; here: 3 of 4 starts came up, 1 ended early, 30\.0 h served$/,
    );
    expect(expectedCost(one(), {}).why).toMatch(/; no record$/);
    expect(expectedCost(one(), { h5: good }).why).toMatch(/; on other machines of the host: 10 of 10 starts came up/);
  });

  test("never is below the price, whatever the record", () => {
    for (const failures of [0, 1, 1000])
      for (const ends of [0, 1, 1000])
        for (const servedMs of [0, HOUR, 1e6 * HOUR]) {
          const { dollarsPerHour } = expectedCost(one(), { m50: record({ failures, ends, servedMs }) });
          expect(dollarsPerHour).toBeGreaterThanOrEqual(0.2);
          expect(dollarsPerHour).toBeLessThan(Number.POSITIVE_INFINITY);
        }
  });
});

test("the cheapest by expected cost comes first, and one without a price last", () => {
  const offers = [
    offer({ id: 1, machineId: 1, dollarsPerHour: null }),
    offer({ id: 2, machineId: 2, dollarsPerHour: 0.2 }),
    offer({ id: 3, machineId: 3, dollarsPerHour: 0.201 }),
    offer({ id: 4, machineId: 4, dollarsPerHour: 0.201 }),
  ];
  const order = (records: Records) => byExpectedCost(offers, records).map(({ id }) => id);
  expect(order({})).toEqual([2, 3, 4, 1]);
  expect(order({ m2: record({ failures: 3, boots: 3, ends: 3, servedMs: 3 * HOUR }) })).toEqual([3, 4, 2, 1]);
});

test("the records that are read are those of the offers' hosts and machines, and of all", () => {
  const offers = [
    offer({ hostId: 5, machineId: 50 }),
    offer({ hostId: 5, machineId: 51 }),
    offer({ hostId: null, machineId: null }),
  ];
  expect(recordKeys(offers)).toEqual(["all", "h5", "m50", "m51"]);
});
