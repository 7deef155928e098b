import { describe, expect, it } from "vitest";
import { isObject } from "../../emulator/json.ts";
import { jsonParameter, rowsOf, type Trial, trial } from "./harness.ts";

function planted(count: number, fields: (n: number) => Record<string, string>): Trial {
  const t = trial({ machines: 0 });
  for (let n = 0; n < count; n++) t.order("POST", "instances", { label: `k8s_pod=${n % 3}`, ...fields(n) });
  return t;
}
const none = () => ({});
const V1 = "/api/v1/instances/";

describe("the deprecated v0 list", () => {
  it("answers 410 deprecated_endpoint by default", () => {
    const answer = planted(1, none).api("GET", "/api/v0/instances/?owner=me");
    expect(answer.status).toBe(410);
    expect(answer.body).toEqual({
      success: false,
      error: "deprecated_endpoint",
      msg: "/api/v0/instances/ is deprecated. Use /api/v1/instances/ instead.",
    });
  });

  it("can answer 200 with the deprecated body", () => {
    const t = planted(1, none);
    t.order("POST", "settings", { v0List: "200-deprecated-body" });
    const answer = t.api("GET", "/api/v0/instances/");
    expect([answer.status, answer.body.success, answer.body.instances]).toEqual([200, false, undefined]);
  });

  it("can answer the legacy array, unpaged", () => {
    const t = planted(30, none);
    t.order("POST", "settings", { v0List: "legacy-array" });
    const answer = t.api("GET", "/api/v0/instances/");
    expect(rowsOf(answer, "instances")).toHaveLength(30);
    expect(answer.body.instances_found).toBe(30);
  });
});

describe("the v1 list", () => {
  it("pages by 25 with a token that is base64 of the last row's values", () => {
    const t = planted(60, none);
    const first = t.api("GET", V1);
    const ids = rowsOf(first, "instances").map((row) => row.id);
    expect(ids).toHaveLength(25);
    expect(first.body.instances_found).toBe(25);
    expect(first.body.total_instances).toBe(60);
    const token = String(first.body.next_token);
    expect(Buffer.from(token, "base64").toString()).toBe(`{"values": {"id": ${ids.at(-1)}}}`);
  });

  it("returns every row exactly once over all pages, also in another order", { timeout: 180_000 }, () => {
    const t = planted(60, (n) => ({ actual_status: n % 2 ? "running" : "loading" }));
    for (const order of [[], [{ col: "label", dir: "desc" }], [{ col: "actual_status", dir: "sideways" }]]) {
      const seen: unknown[] = [];
      let token: unknown = null;
      do {
        const after = typeof token === "string" ? `&after_token=${encodeURIComponent(token)}` : "";
        const page = t.api("GET", `${V1}?order_by=${jsonParameter(order)}${after}`);
        seen.push(...rowsOf(page, "instances").map((row) => row.id));
        token = page.body.next_token;
      } while (token);
      expect(seen).toHaveLength(60);
      expect(new Set(seen).size).toBe(60);
    }
  });

  it.each([
    ["40", 25],
    ["10", 10],
    ["0", 5],
    ["-3", 5],
    ["x", 25],
  ])("takes limit=%s as %i", (limit, rows) => {
    expect(rowsOf(planted(30, none).api("GET", `${V1}?limit=${limit}`), "instances")).toHaveLength(rows);
  });

  it("refuses a token that it did not make", () => {
    const t = planted(1, none);
    for (const token of ["nonsense", Buffer.from('{"values": {"label": 1}}').toString("base64")]) {
      const answer = t.api("GET", `${V1}?after_token=${encodeURIComponent(token)}`);
      expect([answer.status, answer.body.error]).toEqual([400, "invalid_token"]);
    }
  });

  it.each(["dph_total", "num_gpus", "no_such_column"])("refuses a filter on %s", (column) => {
    const answer = planted(1, none).api("GET", `${V1}?select_filters=${jsonParameter({ [column]: { lt: 1 } })}`);
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual({
      error: "invalid_request",
      msg: `Error in query parameters: ${column} is not a valid search key`,
    });
  });

  it("refuses an unknown operator and an unknown column to sort by", () => {
    const t = planted(1, none);
    expect(t.api("GET", `${V1}?select_filters=${jsonParameter({ id: { like: 1 } })}`).status).toBe(400);
    expect(t.api("GET", `${V1}?select_filters=running`).status).toBe(400);
    expect(t.api("GET", `${V1}?order_by=${jsonParameter([{ col: "dph_total", dir: "asc" }])}`).status).toBe(400);
  });

  it("returns null for unknown columns", () => {
    const answer = planted(1, none).api("GET", `${V1}?select_cols=${jsonParameter(["label", "no_such"])}`);
    expect(rowsOf(answer, "instances")).toEqual([{ label: "k8s_pod=0", no_such: null }]);
  });

  it("counts the rows by label; rows without a label count under the empty text", () => {
    const t = planted(7, none);
    t.order("POST", "instances", { label: null });
    expect(t.api("GET", V1).body.label_counts).toEqual({ "k8s_pod=0": 3, "k8s_pod=1": 2, "k8s_pod=2": 2, "": 1 });
  });

  it.each<[Record<string, never> | object, number]>([
    [{ label: { eq: "k8s_pod=1" } }, 2],
    [{ label: { neq: "k8s_pod=1" } }, 6],
    [{ label: { in: ["k8s_pod=0", "k8s_pod=1"] } }, 5],
    [{ label: { notin: ["k8s_pod=0"] } }, 5],
    [{ label: { in: [null] } }, 1],
    [{ actual_status: { in: ["running", "loading"] }, label: { in: ["k8s_pod=2"] } }, 2],
    [{ machine_id: { gt: 0 } }, 8],
    [{ machine_id: { gte: "1" } }, 8],
    [{ machine_id: { lt: 1 } }, 0],
    [{ machine_id: { lte: 0 } }, 0],
  ])("filters by %j", (filters, count) => {
    const t = planted(7, none);
    t.order("POST", "instances", { label: null });
    const answer = t.api("GET", `${V1}?select_filters=${encodeURIComponent(JSON.stringify(filters))}`);
    expect([rowsOf(answer, "instances").length, answer.body.total_instances]).toEqual([count, count]);
  });

  it("has volume_info, which the single show lacks", () => {
    const t = planted(1, none);
    const [row] = rowsOf(t.api("GET", V1), "instances");
    const single = t.api("GET", `/api/v0/instances/${row?.id}/`).body.instances;
    expect(row?.volume_info).toEqual([]);
    expect(isObject(single) && "volume_info" in single).toBe(false);
  });
});
