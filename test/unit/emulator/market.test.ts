import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../emulator/json.ts";
import { jsonParameter, numberAt, offers, onlyOffer, rent, rowsOf, START, type Trial, trial } from "./harness.ts";

/** For thousands of rows on a busy machine. */
const PATIENT = { timeout: 180_000 };
const plain = () => trial({ machines: 400 });
const market = (list: JsonObject[]): Trial => {
  const t = trial({ machines: 0 });
  expect(t.order("PUT", "offers", list).status).toBe(200);
  return t;
};
const names = (t: Trial, query: JsonObject) => offers(t, query).map((row) => row.mobo_name);

describe("an offer search: virtual columns", () => {
  const t = () =>
    market([
      { mobo_name: "a", verification: "verified", hosting_type: 1, geolocation: "Texas, US", duration: 86_400 },
      { mobo_name: "b", verification: "unverified", hosting_type: 0, geolocation: "Norway, NO", duration: 1000 },
      { mobo_name: "c", verification: "deverified", geolocation: null, reliability2: 0.5, driver_version: "535.86.05" },
    ]);
  it.each<[JsonObject, string[]]>([
    [{ verified: { eq: true } }, ["a"]],
    [{ verified: { eq: false } }, ["b", "c"]],
    [{ verified: { in: ["true", "false"] } }, ["a", "b", "c"]],
    [{ verification: { eq: "deverified" } }, ["c"]],
    [{ datacenter: { eq: true } }, ["a"]],
    [{ geolocation: { in: ["US", "CA"] } }, ["a"]],
    [{ geolocation: { notin: ["US"] } }, ["b", "c"]],
    [{ duration: { gte: 3600, lt: 100_000 } }, ["a"]],
    [{ reliability: { lt: "0.9" } }, ["c"]],
    [{ reliability2: { gt: 0.9 } }, ["a", "b"]],
    [{ driver_version: { gte: 550_000_000 } }, ["a", "b"]],
    [{ driver_version: { lt: "550.0.0" } }, ["c"]],
    [{ external: { eq: false } }, ["a", "b", "c"]],
    [{ external: { eq: true } }, []],
    [{ rentable: { eq: "any" } }, ["a", "b", "c"]],
    [{ rentable: { eq: false } }, []],
  ])("%j finds %j", (query, found) => {
    expect(names(t(), query).sort()).toEqual(found);
  });
});

describe("an offer search: quirks of the filters", () => {
  it("accepts numbers as text", () => {
    const t = plain();
    expect(offers(t, { num_gpus: { eq: "2" } })).toEqual(offers(t, { num_gpus: { eq: 2 } }));
    expect(offers(t, { num_gpus: { in: ["4"] } }).every((row) => row.num_gpus === 4)).toBe(true);
    expect(offers(t, { dph_total: { lt: "0.2" } }).every((row) => numberAt(row, "dph_total") < 0.2)).toBe(true);
  });

  it.each([{}, { limit: 3000 }, { limit: 0 }])("never returns more than 64 rows: %j", (query) => {
    expect(offers(plain(), query)).toHaveLength(64);
  });

  it("returns as many as asked for below that", () => {
    expect(offers(plain(), { limit: 5 })).toHaveLength(5);
  });

  it("finds nothing by id, and one by ask_contract_id", () => {
    const t = plain();
    const [row] = offers(t);
    const id = row?.id ?? null;
    expect(offers(t, { id: { eq: id } })).toEqual([]);
    expect(offers(t, { ask_contract_id: { eq: id } })).toEqual([row]);
  });

  it("ignores unknown fields", () => {
    const t = plain();
    expect(offers(t, { no_such_field: { gte: 5 } })).toEqual(offers(t));
  });

  it("refuses a query that is not a JSON object, and unknown operators", () => {
    const t = plain();
    for (const body of ["{not json", "[]"]) {
      const answer = t.api("POST", "/api/v0/bundles/", body);
      expect([answer.status, answer.body]).toEqual([400, { error: "invalid_request", msg: "Invalid json body" }]);
    }
    expect(t.api("POST", "/api/v0/bundles/", { num_gpus: { like: 1 } }).status).toBe(400);
  });
});

describe("an offer search: disk, units, order and limit", () => {
  it("includes the disk in the price, 8 GB by default", () => {
    const t = market([{ dph_base: 0.5, storage_cost: 0.36, disk_space: 100 }]);
    const total = (query: JsonObject) => offers(t, query)[0]?.dph_total;
    expect(total({})).toBeCloseTo(0.5 + (8 * 0.36) / 720, 9);
    expect(total({ allocated_storage: 100 })).toBeCloseTo(0.5 + (100 * 0.36) / 720, 9);
    expect(offers(t, { dph_total: { lte: 0.51 }, allocated_storage: 100 })).toEqual([]);
  });

  it("leaves out offers whose disk is too small", () => {
    const t = market([{ disk_space: 100 }]);
    expect(offers(t, { allocated_storage: 101 })).toEqual([]);
  });

  it("has gpu_ram in MB of one GPU and gpu_total_ram in MB of all", () => {
    const t = market([{ gpu_name: "RTX 4090", num_gpus: 2 }]);
    expect(offers(t, { gpu_ram: { gte: 24_000 }, gpu_total_ram: { gte: 48_000 } })).toMatchObject([
      { gpu_ram: 24_564, gpu_total_ram: 49_128 },
    ]);
    expect(offers(t, { gpu_ram: { gte: 24_000_000 } })).toEqual([]);
  });

  it("orders by any column, by score by default", () => {
    const t = plain();
    const column = (answer: JsonObject[], name: string) => answer.map((row) => numberAt(row, name));
    const down = column(offers(t, { order: [["dlperf", "desc"]] }), "dlperf");
    expect(down).toEqual([...down].sort((a, b) => b - a));
    const score = column(rowsOf(t.api("POST", "/api/v0/bundles/", {}), "offers"), "score");
    expect(score).toEqual([...score].sort((a, b) => b - a));
    const two = offers(t, {
      order: [
        ["num_gpus", "asc"],
        ["dph_total", "desc"],
      ],
    });
    expect(column(two, "dph_total")).toEqual(column(two, "dph_total").sort((a, b) => b - a));
  });

  it("pages through more than 64 rows by price", PATIENT, () => {
    const t = plain();
    const seen = new Set<unknown>();
    let price = 0;
    for (let i = 0; i < 40; i++) {
      const page = offers(t, { dph_total: { gte: price } });
      for (const row of page) seen.add(row.id);
      const last = page.at(-1);
      if (!last || numberAt(last, "dph_total") === price) break;
      price = numberAt(last, "dph_total");
    }
    expect(seen.size).toBe(t.emulator.world.market.offers.size);
  });
});

describe("an offer search: bids and rented machines", () => {
  it("shows the smallest bid as the price, under the same offer id", () => {
    const t = market([{ dph_base: 0.5, min_bid: 0.2, storage_cost: 0.36 }]);
    const [demand] = offers(t, { type: "on-demand" });
    const [bid] = offers(t, { type: "bid" });
    expect([demand?.dph_base, demand?.is_bid, demand?.min_bid]).toEqual([0.5, false, 0.2]);
    expect([bid?.dph_base, bid?.is_bid, bid?.id]).toEqual([0.2, true, demand?.id]);
    expect(bid?.dph_total).toBeCloseTo(0.204, 9);
  });

  it("hides an offer while it is rented, and lists it under a new id afterwards", () => {
    const t = trial();
    const id = rent(t);
    expect(offers(t)).toEqual([]);
    const before = [...t.emulator.world.market.withdrawn.keys()];
    t.api("DELETE", `/api/v0/instances/${id}/`);
    const [offer] = offers(t);
    expect(before).not.toContain(offer?.id);
    expect(offer).toBeDefined();
  });

  it("hides other parts of a machine that the account rents only if the query has rented=false", () => {
    const t = plain();
    const [one] = offers(t, { gpu_frac: { lt: 1 }, num_gpus: { eq: 1 }, disk_space: { gte: 30 } });
    const machine = one?.machine_id ?? null;
    const others = (query: JsonObject) => offers(t, { machine_id: { eq: machine }, ...query });
    const created = t.api("PUT", `/api/v0/asks/${one?.id}/`, { image: "example/app:1", disk: 8 });
    expect(created.body.success).toBe(true);
    expect(others({}).length).toBeGreaterThan(0);
    expect(others({ rented: { eq: true } })).toEqual(others({}));
    expect(others({ rented: { eq: false } })).toEqual([]);
  });
});

describe("the seeded market", () => {
  it("has a few thousand offers with every field of a real row", PATIENT, () => {
    const t = trial({ machines: 3000 });
    expect(t.emulator.world.market.offers.size).toBeGreaterThan(4000);
    const [row] = offers(t, { verified: { eq: true }, rentable: { eq: true }, external: { eq: false } });
    for (const name of FIELDS) expect(row, name).toHaveProperty(name);
    expect(row).not.toHaveProperty("verified");
    expect(row).not.toHaveProperty("datacenter");
    expect(numberAt(row ?? {}, "end_date")).toBeGreaterThan(START / 1000);
  });

  it("splits a machine into overlapping offers, whose ids and availability change when one is rented", () => {
    const t = plain();
    const [whole] = offers(t, { num_gpus: { eq: 4 }, gpu_frac: { eq: 1 }, disk_space: { gte: 40 } });
    const parts = () => offers(t, { machine_id: { eq: whole?.machine_id ?? null }, order: [["num_gpus", "asc"]] });
    expect(parts().map((row) => row.num_gpus)).toEqual([1, 2, 4]);
    const [single, pair] = parts();
    expect(pair?.gpu_ids).toEqual(expect.arrayContaining(single?.gpu_ids as number[]));
    t.api("PUT", `/api/v0/asks/${single?.id}/`, { image: "example/app:1", disk: 8 });
    const after = parts();
    expect(after.map((row) => row.num_gpus)).toEqual([1, 2]);
    for (const row of after) expect([single?.id, pair?.id]).not.toContain(row.id);
    expect(t.api("PUT", `/api/v0/asks/${whole?.id}/`, { image: "example/app:1", disk: 8 }).status).toBe(400);
  });

  it("lists machines again whose period is over, so that it never runs empty", () => {
    const t = trial({ machines: 20 });
    const before = offers(t).map((row) => row.id);
    t.pass(400 * 86_400);
    const after = offers(t);
    expect(after.length).toBe(before.length);
    expect(after.every((row) => numberAt(row, "duration") > 0 && !before.includes(row.id ?? null))).toBe(true);
  });

  it("can be searched by three endpoints", () => {
    const t = plain();
    const query = { num_gpus: { eq: "1" }, order: [["dph_total", "asc"]], limit: 3, type: "on-demand" };
    const posted = offers(t, query);
    expect(rowsOf(t.api("GET", `/api/v0/bundles/?q=${jsonParameter(query)}`), "offers")).toEqual(posted);
    const asks = t.api("PUT", "/api/v0/search/asks/", { select_cols: ["id"], q: query });
    expect(rowsOf(asks, "offers")).toEqual(posted.map((row) => ({ id: row.id })));
    expect(t.api("PUT", "/api/v0/search/asks/", { q: 5 }).status).toBe(400);
  });

  it("shows the address that instances will have", () => {
    const t = trial({ settings: { advertise: "127.0.0.1" } });
    expect(new Set(offers(t).map((row) => row.public_ipaddr))).toEqual(new Set(["127.0.0.1"]));
  });

  it("can be replaced by a test, down to the offer's id", () => {
    const t = plain();
    expect(onlyOffer(t, { id: 5_000_001, host_id: 9, gpu_name: "Made Up 1" })).toBe(5_000_001);
    expect(offers(t)).toMatchObject([{ id: 5_000_001, ask_contract_id: 5_000_001, host_id: 9, gpu_name: "Made Up 1" }]);
    expect(
      rowsOf({ ...t.order("GET", "offers"), body: { offers: t.order("GET", "offers").body.value ?? [] } }, "offers"),
    ).toHaveLength(1);
  });
});

const FIELDS = (
  "id ask_contract_id bundle_id bundled_results bw_nvlink compute_cap cpu_arch cpu_cores cpu_cores_effective cpu_ghz cpu_name cpu_ram " +
  "credit_discount_max cuda_max_good direct_port_count disk_bw disk_name disk_space dlperf dlperf_per_dphtotal dph_base dph_total " +
  "driver_version driver_vers duration end_date external flops_per_dphtotal geolocation geolocode gpu_arch gpu_display_active gpu_frac " +
  "gpu_ids gpu_lanes gpu_mem_bw gpu_name gpu_ram gpu_total_ram gpu_max_power gpu_max_temp has_avx host_id hosting_type hostname inet_down " +
  "inet_down_cost inet_up inet_up_cost is_bid logo machine_id min_bid mobo_name num_gpus os_version pci_gen pcie_bw public_ipaddr " +
  "reliability reliability_mult rentable rented score start_date static_ip storage_cost storage_total_cost total_flops verification " +
  "vericode vram_costperhour webpage vms_enabled expected_reliability is_vm_deverified resource_type cluster_id avail_vol_ask_id " +
  "avail_vol_dph avail_vol_size nw_disk_min_bw nw_disk_max_bw nw_disk_avg_bw rn dph_total_adj reliability2 discount_rate " +
  "discounted_hourly discounted_dph_total search instance time_remaining time_remaining_isbid internet_up_cost_per_tb " +
  "internet_down_cost_per_tb"
).split(" ");
