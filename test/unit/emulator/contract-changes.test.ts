// What changes a contract that runs: its container in place, its end and price, its bid.
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../emulator/json.ts";
import { dump, listed, numberAt, rent, rowsOf, START, type Trial, trial } from "./harness.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;

function running(body: JsonObject = {}, offer: JsonObject = {}): { t: Trial; id: number } {
  const t = trial({ settings: { bootSeconds: 5 } });
  const id = rent(t, body, offer);
  t.pass(20);
  return { t, id };
}

describe("a change in place", () => {
  const update = (t: Trial, id: number, body: JsonObject) =>
    t.api("PUT", `/api/v0/instances/update_template/${id}/`, body);
  const all = { image: "example/app:2", image_login: "-u bob -p hunter22 r.example", disk: 30, recycle: true };

  it("takes image, login, a larger disk and the recycle in one call, and keeps machine and price", () => {
    const { t, id } = running();
    const before = listed(t, id);
    expect(update(t, id, all).body).toMatchObject({ success: true, msg: "Template updated." });
    expect(listed(t, id)).toMatchObject({ actual_status: "recycling", disk_space: 30 });
    t.pass(20);
    const { machine_id, dph_base, start_date } = before ?? {};
    expect(listed(t, id)).toMatchObject({
      ...{ machine_id, dph_base, start_date, id },
      ...{ image_uuid: "example/app:2", actual_status: "running", storage_total_cost: (0.15 * 30) / 720 },
    });
    expect(dump(t, id).imageLogin).toMatch(/^-u bob -p sha256:\w+ r\.example$/);
  });

  it.each([
    [{ disk: 19 }, "smaller"],
    [{ disk: 7 }, "at least 8"],
    [{ disk: 100_000 }, "not that much disk"],
    [{ disk: "much" }, "at least 8"],
    [{ template_hash_id: "0".repeat(32) }, "not a valid template"],
  ])("refuses %j, and changes nothing", (body, text) => {
    const { t, id } = running();
    const answer = update(t, id, { ...all, ...body });
    expect([answer.status, answer.body.error]).toEqual([400, "invalid_args"]);
    expect(answer.body.msg).toContain(text);
    expect(listed(t, id)).toMatchObject({ actual_status: "running", disk_space: 20 });
  });

  it("can ignore login, disk and recycle, and then needs the recycle of its own", () => {
    const { t, id } = running();
    t.order("POST", "settings", { templateUpdateExtras: "ignored" });
    expect(update(t, id, all).body.success).toBe(true);
    expect(listed(t, id)).toMatchObject({ image_uuid: "example/app:1", actual_status: "running", disk_space: 20 });
    t.api("PUT", `/api/v0/instances/recycle/${id}/`);
    t.pass(20);
    expect(listed(t, id)).toMatchObject({ image_uuid: "example/app:2", actual_status: "running", disk_space: 20 });
  });

  it("can refuse them, and the id in the body", () => {
    const { t, id } = running();
    t.order("POST", "settings", { templateUpdateExtras: "refused", idInBody: "refused" });
    expect(update(t, id, all).body.msg).toContain("image_login, disk, recycle");
    expect(update(t, id, { id, image: "example/app:2" }).body.msg).toContain("params duplicated");
    expect(update(t, id, { image: "example/app:2" }).status).toBe(200);
  });

  it("of an instance that does not exist is a 404 not_found", () => {
    const answer = update(trial(), 5, { image: "example/app:2" });
    expect([answer.status, answer.body.error]).toEqual([404, "not_found"]);
  });
});

describe("a price increase", () => {
  function announced(): { t: Trial; id: number; row: JsonObject; end: number } {
    const { t, id } = running({}, { end_date: START / 1000 + DAY });
    t.order("POST", `instances/${id}/price-increase`, { gpuPerHour: 0.72 });
    const [row = {}] = rowsOf(t.api("GET", "/api/v0/instances/pending-price-increases/"), "pending_price_increases");
    return { t, id, row, end: numberAt(row, "contract_end_date") };
  }
  const decide = (t: Trial, what: "accept" | "reject", row: JsonObject, more: JsonObject = {}) =>
    t.api("PUT", `/api/v0/instances/${what}-price-increase/`, {
      pending_price_increase_id: row.pending_price_increase_id ?? null,
      ...more,
    });

  it("that is accepted extends the contract, and costs more only after the end that was agreed", () => {
    const { t, id, row, end } = announced();
    expect(decide(t, "accept", row).body).toEqual({
      success: true,
      pending_price_increase_id: row.pending_price_increase_id,
      contract_id: id,
    });
    expect(t.api("GET", "/api/v0/instances/pending-price-increases/").body).toMatchObject({ count: 0 });
    expect(listed(t, id)).toMatchObject({ dph_base: 0.36, end_date: row.ask_end_date });
    expect(numberAt(row, "ask_end_date")).toBe(end + 30 * DAY);
    t.pass(DAY);
    expect(listed(t, id)).toMatchObject({ dph_base: 0.72, actual_status: "running" });
    t.pass(30 * DAY);
    expect(listed(t, id)).toMatchObject({ intended_status: "stopped", actual_status: "exited" });
  });

  it("that is rejected is gone, and the contract ends as agreed", () => {
    const { t, id, row } = announced();
    expect(decide(t, "reject", row).body.contract_id).toBe(id);
    t.pass(DAY);
    expect(listed(t, id)).toMatchObject({ dph_base: 0.36, intended_status: "stopped" });
  });

  it.each([404, 409])("that is not pending any more is answered with %i", (status) => {
    const { t, row } = announced();
    t.order("POST", "settings", { stalePriceIncreaseStatus: status });
    decide(t, "reject", row);
    const answer = decide(t, "accept", row);
    expect([answer.status, answer.body]).toEqual([status, { success: false, error: "no_pending_price_increase" }]);
  });

  it("is decided by its id alone", () => {
    const { t, row, id } = announced();
    expect(decide(t, "accept", row, { contract_id: id }).status).toBe(400);
    expect(decide(t, "accept", {}).status).toBe(400);
  });

  it("shows the price of one GPU, and null for what stays", () => {
    const { t, id } = running({}, { num_gpus: 2, dph_base: 0.72 });
    t.order("POST", `instances/${id}/price-increase`, { gpuPerHour: 1.44 });
    const [row] = rowsOf(t.api("GET", "/api/v0/instances/pending-price-increases/"), "pending_price_increases");
    expect(row).toMatchObject({
      old_gpu_costpersec: expect.closeTo(0.0001, 9),
      new_gpu_costpersec: expect.closeTo(0.0002, 9),
      new_bwu_cost: null,
    });
  });
});

it("refuses to change the price of a contract that is no bid", () => {
  const { t, id } = running();
  const answer = t.api("PUT", `/api/v0/instances/bid_price/${id}/`, { client_id: "me", price: 0.3 });
  expect([answer.status, answer.body.error]).toEqual([400, "invalid_args"]);
  expect(answer.body.msg).toBe("Can't change price of on-demand contract.");
  expect(listed(t, id)).toMatchObject({ is_bid: false, dph_base: 0.36 });
});

it("has the values that the list can be filtered by", () => {
  const { t, id } = running();
  const one = { verification: "verified", gpu_name: "RTX 4090" };
  for (const actual_status of ["loading", "loading"])
    t.order("POST", "instances", { actual_status, gpu_name: "RTX 4090" });
  expect(t.api("GET", "/api/v0/instances/filters/").body.filters).toEqual([
    { actual_status: "running", ...one },
    { actual_status: "loading", ...one },
  ]);
  t.api("DELETE", `/api/v0/instances/${id}/`);
  expect(rowsOf(t.api("GET", "/api/v0/instances/filters/"), "filters")).toHaveLength(1);
});
