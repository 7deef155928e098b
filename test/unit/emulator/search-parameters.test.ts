// Parameters of a search beside its filters, and the fields that are other names for columns.
import { expect, it } from "vitest";
import type { JsonObject } from "../../emulator/json.ts";
import { numberAt, offers, rowsOf, type Trial, trial } from "./harness.ts";

function market(...machines: JsonObject[]): Trial {
  const t = trial({ machines: 0 });
  t.order(
    "PUT",
    "offers",
    machines.map((fields, n) => ({ id: n + 1, dph_base: n + 1, ...fields })),
  );
  return t;
}
const ids = (t: Trial, query: JsonObject) => offers(t, query).map(({ id }) => id);

it.each<[JsonObject, number[]]>([
  [{ external: false }, [1, 2]],
  [{ external: true }, []],
  [{ has_avx: true }, [1]],
  [{ target_reliability: 0.98 }, [2]],
  [{ target_reliability: { lt: 0.98 } }, [1]],
  [{ disable_bundling: true, gpu_option: "any", show_incompatible: true }, [1, 2]],
  [{ has_avx: true, extra_ids: [2] }, [1, 2]],
  [{ allocated_storage: 5000, extra_ids: ["2", 9] }, [2]],
])("takes %j as plain values", (query, found) => {
  const t = market({ expected_reliability: 0.97 }, { expected_reliability: 0.99, has_avx: 0 });
  expect(ids(t, query)).toEqual(found);
});

it("refuses another field without an operator", () => {
  const answer = market({}).api("POST", "/api/v0/bundles/", { num_gpus: 1 });
  expect([answer.status, answer.body.error]).toEqual([400, "invalid_request"]);
});

it.each([
  ["gpu_ram_GB", "gpu_ram", 24_576, 48_000],
  ["cpu_ram_GB", "cpu_ram", 23_999, 24_001],
  ["gpu_totalram_GB", "gpu_ram", 12_000, 11_000],
])("compares %s in MB", (field, column, low, high) => {
  const values = [low, high];
  const t = market(...values.map((value) => ({ [column]: value, num_gpus: field.startsWith("gpu_t") ? 2 : 1 })));
  const expected = values.flatMap((value, n) => (value * (field.startsWith("gpu_t") ? 2 : 1) >= 24_000 ? [n + 1] : []));
  expect(ids(t, { [field]: { gte: 24 } })).toEqual(expected);
  expect(ids(t, { [field]: { gte: "24" } })).toEqual(expected);
  expect(ids(t, { [field]: { in: [1, 2] } })).toEqual([]);
});

it("adds the filters of the template that is named, except for those that the search has itself", () => {
  const t = market({ num_gpus: 1 }, { num_gpus: 2 });
  const made = t.api("POST", "/api/v0/template/", {
    name: "two",
    image: "example/app:1",
    extra_filters: { num_gpus: { eq: 2 } },
  });
  const template_id = numberAt(made.body.template as JsonObject, "id");
  expect(ids(t, { template_id })).toEqual([2]);
  expect(ids(t, { template_id, num_gpus: { eq: 1 } })).toEqual([1]);
});

it("shows for `reserved` the price after a prepayment, which a create does not pay", () => {
  const t = market({ dph_base: 1, storage_cost: 0 });
  const [offer = {}] = rowsOf(t.api("POST", "/api/v0/bundles/", { type: "reserved" }), "offers");
  expect(offer).toMatchObject({ dph_total: expect.closeTo(0.6, 9), discount_rate: 0.4 });
  const created = t.api("PUT", "/api/v0/asks/1/", { image: "example/app:1", disk: 8 });
  expect(t.emulator.world.instances.get(numberAt(created.body, "new_contract"))?.gpuPerHour).toBe(1);
});
