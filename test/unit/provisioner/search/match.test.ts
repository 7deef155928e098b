import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { columnOf } from "../../../../provisioner/search/columns.ts";
import type { Filters, Operator } from "../../../../provisioner/search/fields.ts";
import { firstMismatch, matches } from "../../../../provisioner/search/match.ts";
import type { Json, JsonObject } from "../../../emulator/json.ts";
import { offerRow } from "../../../emulator/market/offer-row.ts";
import { offers, START, type Trial, trial } from "../../emulator/harness.ts";

type Case = [row: object, field: string, operator: Operator, value: unknown, met: boolean];

describe("a row matches a filter", () => {
  test.each<Case>([
    [{ verification: "verified" }, "verified", "eq", true, true],
    [{ verification: "deverified" }, "verified", "eq", "True", false],
    [{ verification: "unverified" }, "verified", "in", ["true", "false"], true],
    [{ hosting_type: 1 }, "datacenter", "eq", true, true],
    [{ hosting_type: 0 }, "datacenter", "eq", "1", false],
    [{ external: null }, "external", "eq", false, true],
    [{ external: null }, "external", "eq", true, false],
    [{ geolocation: "Texas, US" }, "geolocation", "in", ["US", "CA"], true],
    [{ geolocation: ", US" }, "geolocation", "eq", "us", true],
    [{ geolocation: "US" }, "geolocation", "notin", ["US"], false],
    [{ geolocation: "California, United States" }, "geolocation", "eq", "DE", false],
    [{ reliability2: 0.97 }, "reliability", "gte", "0.98", false],
    [{ reliability: 0.99 }, "reliability2", "gt", 0.98, true],
    [{ expected_reliability: 0.9 }, "target_reliability", "gt", 0.95, false],
    [{ gpu_total_ram: 48_000 }, "gpu_totalram", "gte", "48000", true],
    [{ os_version: "22.04" }, "ubuntu_version", "eq", "22.04", true],
    [{ os_version: "20.04" }, "ubuntu_version", "gte", "22.04", false],
    [{ driver_vers: 535_086_005 }, "driver_version", "gte", 550_000_000, false],
    [{ driver_version: "570.86.10" }, "driver_version", "gte", 550_000_000, true],
    [{ driver_version: "570.86.10" }, "driver_version", "lt", "550.0.0", false],
    [{ driver_version: "570.86.10" }, "driver_version", "in", ["570.86.10"], true],
    [{ gpu_name: "RTX 4090" }, "gpu_name", "eq", "RTX 4090", true],
    [{ gpu_name: "RTX 4090 D" }, "gpu_name", "eq", "RTX 4090", false],
    [{ gpu_name: "rtx 4090" }, "gpu_name", "eq", "RTX 4090", false],
    [{ gpu_name: "RTX 4090" }, "gpu_name", "eq", "any", true],
    [{ num_gpus: 2 }, "num_gpus", "eq", "2", true],
    [{ num_gpus: "2" }, "num_gpus", "gte", 3, false],
    [{ num_gpus: 10 }, "num_gpus", "gt", "9", true],
    [{ num_gpus: 2 }, "num_gpus", "gte", "2,gpu ram>=24", false],
    [{ disk_space: 99.5 }, "disk_space", "gte", "100", false],
    [{ static_ip: true }, "static_ip", "eq", "true", true],
    [{ static_ip: true }, "static_ip", "neq", 1, false],
    [{ has_avx: 1 }, "has_avx", "eq", true, true],
    [{ has_avx: 0 }, "has_avx", "eq", true, false],
    [{ gpu_name: "true" }, "gpu_name", "eq", true, false],
    [{ cluster_id: null }, "cluster_id", "eq", null, true],
    [{ cluster_id: null }, "cluster_id", "neq", null, false],
    [{ cluster_id: 5 }, "cluster_id", "eq", null, false],
    [{ cluster_id: null }, "cluster_id", "in", [5, null], true],
    [{ rented: false }, "rented", "eq", true, true],
    [{ rented: true }, "rented", "eq", false, false],
    [{ rented: true }, "rented", "eq", "true", true],
    [{ rentable: true }, "rentable", "eq", "maybe", false],
  ])("%j: %s %s %j is %j", (row, field, operator, value, met) => {
    expect(matches({ ...row }, field, operator, value)).toBe(met);
  });

  test.each(["gpu_ram", "verified", "datacenter", "geolocation", "driver_version", "no_such_field"])(
    "that it cannot be held against because it carries no %s",
    (field) => {
      for (const row of [{}, { [field]: null }])
        expect(firstMismatch(row, { [field]: { eq: "1", gte: 5, in: [] } })).toBeNull();
    },
  );

  test.each(["dph_total", "dph", "dph_base", "rentable"])(
    "but not when it carries no %s: that costs money",
    (field) => {
      expect(matches({}, field, "neq", 5)).toBe(false);
      expect(matches({ [field]: null }, field, "neq", 5)).toBe(false);
      expect(matches({}, field, "eq", "any")).toBe(true);
    },
  );

  test("also under a short name, which the API would ignore", () => {
    expect(matches({ dph_total: 0.7 }, "dph", "lt", 0.6)).toBe(false);
  });

  test("unless one of several conditions does not match, and that one is named", () => {
    const row = { num_gpus: 2, gpu_ram: 24_000 };
    expect(firstMismatch(row, { num_gpus: { gte: 1, lt: 3 }, gpu_ram: { gt: 23_000 } })).toBeNull();
    expect(firstMismatch(row, { num_gpus: { gte: 1, lt: 2 } })).toBe("num_gpus lt 2");
    expect(firstMismatch(row, { limit: { eq: 1 } })).toBeNull(); // no filter
  });
});

describe("the check agrees with the API's own filters", () => {
  let market: Trial;
  let rows: JsonObject[];
  beforeAll(() => {
    market = trial({ machines: 60 });
    const basis = { storageGb: 8, bid: false, prepaid: false, address: null, now: START / 1000 };
    rows = [...market.emulator.world.market.offers.values()].map((offer) => offerRow(offer, basis));
  });

  // What a filter may be compared with: values that rows have, so that equality is met, and others.
  const flag = fc.constantFrom<Json>(true, false, "true", "False", "any");
  const columns: Record<string, fc.Arbitrary<Json>> = {
    verified: flag,
    datacenter: flag,
    external: flag,
    rentable: flag,
    static_ip: flag,
    verification: fc.constantFrom("verified", "unverified", "deverified", "any"),
    geolocation: fc.constantFrom("US", "DE", "NO", "ZZ"),
    gpu_name: fc.constantFrom("RTX 4090", "RTX 3090", "H100 SXM", "rtx 4090"),
    num_gpus: fc.constantFrom<Json>(1, "1", 2, "4", 8, "1.0", "2;"),
    gpu_ram: fc.constantFrom<Json>(24_000, 24_564, "24564", 80_000.5),
    gpu_totalram: fc.constantFrom<Json>(48_000, "49128"),
    reliability: fc.constantFrom<Json>(0.9, "0.98", ".99"),
    reliability2: fc.constantFrom<Json>(0.95, "0.999"),
    target_reliability: fc.constantFrom<Json>(0.9, 0.98),
    dph_total: fc.constantFrom<Json>(0.2, "0.4", 1.5),
    dphtotal: fc.constantFrom<Json>(0.3, "0.6"),
    disk_space: fc.constantFrom<Json>(100, "500"),
    duration: fc.constantFrom<Json>(86_400, 5_000_000, "9e6"),
    driver_version: fc.constantFrom<Json>(550_000_000, "560.35.03", "535", "570.86.10"),
    cuda_max_good: fc.constantFrom<Json>("12.4", 12.8),
    os_version: fc.constantFrom<Json>("22.04", 22.04, "20.04"),
    ubuntu_version: fc.constantFrom<Json>("22.04", "24.04"),
    direct_port_count: fc.constantFrom<Json>(2, "100", 0),
    cpu_cores: fc.constantFrom<Json>(16, "32"),
    cluster_id: fc.constantFrom<Json>(null, 5),
    machine_id: fc.constantFrom<Json>(20_001, "20002"),
    host_id: fc.constantFrom<Json>(10_001, "10002"),
    no_such_field: fc.constantFrom<Json>(1, "x"),
  };
  const single = fc.constantFrom<Operator>("eq", "neq", "gt", "gte", "lt", "lte");
  const filter = fc.constantFrom(...Object.keys(columns)).chain((field) => {
    const value = columns[field] ?? fc.constant(null);
    return fc.oneof(
      { weight: 3, arbitrary: fc.record({ field: fc.constant(field), operator: single, value }) },
      {
        weight: 1,
        arbitrary: fc.record({
          field: fc.constant(field),
          operator: fc.constantFrom<Operator>("in", "notin"),
          value: fc.array(value, { maxLength: 3 }),
        }),
      },
    );
  });
  const query = fc.array(filter, { minLength: 1, maxLength: 3 });

  test("on every offer of a market: both accept and exclude the same offers", () => {
    let [kept, left] = [0, 0];
    fc.assert(
      fc.property(query, (list) => {
        const filters: Record<string, Record<string, Json>> = {};
        for (const { field, operator, value } of list) filters[field] = { ...filters[field], [operator]: value };
        const found = new Set(pages(market, filters));
        for (const row of rows) {
          const met = firstMismatch(row, filters as Filters) === null;
          if (found.has(row.id ?? null)) {
            expect([row.id, met]).toEqual([row.id, true]);
            kept += 1;
          } else if (list.every(({ field, value }) => carries(row, field, value))) {
            expect([row.id, met]).toEqual([row.id, false]);
            left += 1;
          }
        }
      }),
      { numRuns: 150 },
    );
    expect(Math.min(kept, left)).toBeGreaterThan(500); // both sides were really compared
  });
});

/** A row that does not tell is excluded by the API and not by the check. */
function carries(row: JsonObject, field: string, value: Json): boolean {
  const actual = columnOf(row, field);
  return actual !== undefined && (actual !== null || value === null);
}

/** The ids of all offers that the API finds: a page holds 64, so each machine's are asked for by themselves where needed. */
function pages(market: Trial, filters: JsonObject): Json[] {
  const first = offers(market, { ...filters, order: [["id", "asc"]] });
  if (first.length < 64) return first.map((row) => row.id ?? null);
  const ids: Json[] = [];
  let last = 0;
  for (;;) {
    const page = offers(market, { ...filters, ask_contract_id: { gt: last }, order: [["id", "asc"]] });
    ids.push(...page.map((row) => row.id ?? null));
    if (page.length < 64) return ids;
    last = Number(page.at(-1)?.id);
  }
}
