import { describe, expect, it } from "vitest";
import { isObject } from "../../emulator/json.ts";
import { dump, jsonParameter, listed, onlyOffer, rent, rowsOf, START, type Trial, trial } from "./harness.ts";

const HOUR = 3600;
/** An emulator with a running instance, which booted in ten seconds. */
function up(body = {}, offer = {}): { t: Trial; id: number } {
  const t = trial({ settings: { bootSeconds: 10 } });
  const id = rent(t, body, offer);
  t.pass(10);
  return { t, id };
}
const happens = (t: Trial, id: number, event: string, body = {}) => {
  const answer = t.order("POST", `instances/${id}/${event}`, body);
  expect(answer.status).toBe(200);
};

describe("what instances cost", () => {
  it("charges the disk from the create on, and the GPUs from the first time it runs, to the cent", () => {
    const t = trial({ settings: { bootSeconds: 30 * 60 } });
    const id = rent(t); // half an hour of loading
    t.pass(2.5 * HOUR);
    expect(dump(t, id).cost).toEqual({
      traffic: 0,
      gpu: expect.closeTo(2 * 0.36, 9),
      disk: expect.closeTo((2.5 * 0.15 * 20) / 720, 9),
    });
  });

  it("charges no GPUs while stopped, and nothing while the host is offline or after the end", () => {
    const { t, id } = up();
    t.pass(HOUR);
    happens(t, id, "offline");
    t.pass(HOUR);
    happens(t, id, "recover");
    t.api("PUT", `/api/v0/instances/${id}/`, { state: "stopped" });
    t.pass(HOUR);
    t.api("DELETE", `/api/v0/instances/${id}/`);
    t.pass(HOUR);
    expect(dump(t, id).cost).toEqual({
      traffic: 0,
      gpu: expect.closeTo(0.36, 9),
      disk: expect.closeTo(((2 + 10 / HOUR) * 0.15 * 20) / 720, 9),
    });
  });

  it("subtracts what was spent from the account's credit", () => {
    const { t } = up();
    t.pass(10 * HOUR);
    const { credit, balance } = t.api("GET", "/api/v0/users/current/").body;
    expect([credit, balance]).toEqual([expect.closeTo(10_000 - 3.6 - ((10 + 10 / HOUR) * 0.15 * 20) / 720, 5), 0]);
  });
});

describe("an instance that a test creates by a control route", () => {
  it("is live at once, with the given fields", () => {
    const t = trial({ machines: 0 });
    const { body } = t.order("POST", "instances", {
      label: "k8s_pod=a",
      image_uuid: "x/y:1",
      template_hash_id: "abc",
      host_id: 5,
      geolocation: "Mars, MA",
    });
    expect(listed(t, Number(body.id))).toMatchObject({
      label: "k8s_pod=a",
      image_uuid: "x/y:1",
      template_hash_id: "abc",
      host_id: 5,
      geolocation: "Mars, MA",
      actual_status: "running",
    });
    expect(onlyOffer(t)).toBeGreaterThan(0);
  });

  it("has the given status", () => {
    const t = trial({ machines: 0 });
    const { body } = t.order("POST", "instances", { actual_status: "exited", cur_state: "stopped" });
    expect(listed(t, Number(body.id))).toMatchObject({ actual_status: "exited", cur_state: "stopped" });
    expect(t.emulator.endpoints()).toEqual([]);
  });
});

describe("what is announced and charged", () => {
  const charges = (t: Trial, query: string, key?: string) =>
    t.api("GET", `/api/v0/charges/?format=table&latest_first=true&${query}`, undefined, key);
  const filters = (fromS: number, toS: number) =>
    `select_filters=${jsonParameter({ day: { gte: fromS, lte: toS }, type: { in: ["instance"] } })}`;
  const soon = START / 1000 + 30 * 86_400;

  it("lists the prices that hosts ask for, with the end of the contract", () => {
    const { t, id } = up();
    const read = () => rowsOf(t.api("GET", "/api/v0/instances/pending-price-increases/"), "pending_price_increases");
    expect(read()).toEqual([]);
    happens(t, id, "price-increase", { gpuPerHour: 0.72 });
    expect(read()).toMatchObject([
      {
        contract_id: id,
        old_gpu_costpersec: expect.closeTo(0.0001, 9),
        new_gpu_costpersec: expect.closeTo(0.0002, 9),
        contract_end_date: dump(t, id).end_date,
      },
    ]);
    t.api("DELETE", `/api/v0/instances/${id}/`);
    expect(read()).toEqual([]);
  });

  it("shows what an instance has cost, traffic included, also after its end", () => {
    const { t, id } = up({ label: "k8s_pod=a" });
    t.pass(HOUR - 10);
    happens(t, id, "traffic", { dollars: 0.5 });
    t.api("DELETE", `/api/v0/instances/${id}/`);
    const [row] = rowsOf(charges(t, filters(START / 1000, soon)), "results");
    expect(row).toMatchObject({ source: `instance-${id}`, metadata: { label: "k8s_pod=a" } });
    expect(row?.amount).toBeCloseTo(0.36 + (0.15 * 20) / 720 + 0.5, 2);
    expect(rowsOf(charges(t, filters(soon, soon + 1)), "results")).toEqual([]);
  });

  it("shows the download of an image once its pull has ended, and not where its layers are known, if it is told to", () => {
    const traffic = (settings: object) => {
      const images = { "example/app:1": { sizeGb: 5 } };
      const t = trial({ settings: { bootSeconds: 10, images, ...settings } });
      const id = rent(t, {}, { inet_down_cost: 0.02 });
      const trafficIn = (seconds: number) => {
        t.pass(seconds);
        const [row] = rowsOf(charges(t, filters(START / 1000, soon)), "results");
        const items: unknown[] = Array.isArray(row?.items) ? row.items : [];
        return items.find((item) => isObject(item) && item.type === "bwd");
      };
      const first = [trafficIn(5), trafficIn(5)];
      t.api("PUT", `/api/v0/instances/${id}/`, { state: "stopped" });
      t.api("PUT", `/api/v0/instances/${id}/`, { state: "running" });
      return [...first, trafficIn(20)].map((item) => (isObject(item) ? item.amount : null));
    };
    expect(traffic({ billDownloads: true })).toEqual([0, 0.1, 0.1]);
    expect(traffic({})).toEqual([0, 0, 0]);
  });

  it("gives pages, and refuses a key without the right", () => {
    const { t } = up();
    t.order("POST", "instances", { label: "b" });
    const first = charges(t, `${filters(START / 1000, soon)}&limit=1`);
    expect(first.body).toMatchObject({ count: 1, total: 2, next_token: "1" });
    const second = charges(t, `${filters(START / 1000, soon)}&limit=1&after_token=1`);
    expect(second.body).toMatchObject({ count: 1, next_token: null });
    t.order("POST", "account", { scopes: ["misc", "user_read", "instance_read", "instance_write"] });
    expect(charges(t, filters(START / 1000, soon)).status).toBe(403);
  });
});
