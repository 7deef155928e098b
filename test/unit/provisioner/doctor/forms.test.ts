// The rows and bodies are those of the emulator, which answers as the API does.
import { describe, expect, test } from "vitest";
import { ok } from "../../../../provisioner/doctor/findings.ts";
import { judgeForms } from "../../../../provisioner/doctor/forms.ts";
import { ROW_FORMS } from "../../../../provisioner/vast/rows.ts";

/** Every field that the program reads, with the usual null. */
const nulls = (form: { shape: object }) => Object.fromEntries(Object.keys(form.shape).map((name) => [name, null]));
const instance = {
  ...nulls(ROW_FORMS.instance),
  id: 7835610,
  label: "k8s_pod=vast-pod-0",
  host_id: 77001,
  machine_id: 4821,
  actual_status: "running",
  intended_status: "running",
  cur_state: "running",
  next_state: "running",
  status_msg: null,
  image_uuid: "example/app:2",
  template_hash_id: "4e17aa01",
  public_ipaddr: "203.0.113.9\n",
  ports: { "8000/tcp": [{ HostIp: "0.0.0.0", HostPort: "41234" }], "9000/tcp": null },
  direct_port_start: 41234,
  dph_total: "0.316",
  gpu_name: "RTX 4090",
  start_date: 1793000000.5,
  end_date: 1795000000,
  is_bid: false,
};
const offer = {
  ...nulls(ROW_FORMS.offer),
  id: 31415926,
  ask_contract_id: 31415926,
  host_id: 77001,
  machine_id: 4821,
  dph_total: 0.3164,
  gpu_name: "RTX 4090",
  rentable: true,
};
const template = {
  id: 1,
  hash_id: "4e17aa01",
  name: "demo",
  creator_id: 9,
  recommended_disk_space: null,
  env: "-p 8000:8000",
};
const user = { id: 9, balance: 0, credit: 25.5, email: "somebody@example.com" };
const increase = {
  pending_price_increase_id: 3,
  contract_id: 7835610,
  new_gpu_costpersec: 0.0001,
  old_gpu_costpersec: 0.00008,
};
const list = (row: object) => ({
  instances: [row],
  total_instances: 1,
  instances_found: 1,
  next_token: null,
  label_counts: {},
});

function judge(
  over: {
    user?: object;
    instance?: object;
    list?: object;
    template?: object;
    offer?: object;
    increase?: object;
    charge?: object;
  } = {},
) {
  const bodies: Record<string, Record<string, unknown>> = {
    "GET /api/v0/users/current/": { ...user, ...over.user },
    "GET /api/v1/instances/": { ...list({ ...instance, ...over.instance }), ...over.list },
    "GET /api/v0/template/": { templates: [{ ...template, ...over.template }] },
    "POST /api/v0/bundles/": { offers: [{ ...offer, ...over.offer }] },
    "GET /api/v0/instances/pending-price-increases/": { pending_price_increases: [{ ...increase, ...over.increase }] },
    "GET /api/v0/charges/": { results: [{ amount: 1.25, metadata: { label: "k8s_pod=vast-pod-0" }, ...over.charge }] },
  };
  return judgeForms((call) => (bodies[call] === undefined ? [] : [bodies[call]]));
}

describe("the forms of the API's answers", () => {
  test("are as expected", () => {
    expect(judge()).toEqual([ok("forms", "6 of 6 kinds of answers have the expected form")]);
  });

  test.each([
    ["instance", { host_id: [77001] }, "warn", "GET /api/v1/instances/: host_id is a list"],
    [
      "instance",
      { actual_status: { word: "running" } },
      "fail",
      "GET /api/v1/instances/: actual_status is an object of another form",
    ],
    [
      "instance",
      { ports: { "8000/tcp": [41234] } },
      "fail",
      "GET /api/v1/instances/: ports is an object of another form",
    ],
    ["instance", { dph_total: "cheap" }, "warn", "GET /api/v1/instances/: dph_total is a text of another form"],
    [
      "list",
      { label_counts: { "k8s_pod=vast-pod-0": {} } },
      "warn",
      "GET /api/v1/instances/: label_counts is an object of another form",
    ],
    ["list", { total_instances: "many" }, "warn", "GET /api/v1/instances/: total_instances is a text of another form"],
    ["user", { credit: true }, "warn", "GET /api/v0/users/current/: credit is true or false"],
    ["template", { creator_id: {} }, "fail", "GET /api/v0/template/: creator_id is an object of another form"],
    [
      "increase",
      { contract_id: "many" },
      "warn",
      "GET /api/v0/instances/pending-price-increases/: contract_id is a text of another form",
    ],
    ["charge", { amount: ["1.25"] }, "warn", "GET /api/v0/charges/: amount is a list"],
    ["offer", { machine_id: "m:4821" }, "fail", "POST /api/v0/bundles/: machine_id is a text of another form"],
  ])("name a drifted field of the %s: %o", (what, over, verdict, message) => {
    expect(judge({ [what]: over })).toMatchObject([{ check: "forms", verdict, message }]);
  });

  test("name a field that no row has, and never a value", () => {
    const [finding, ...more] = judge({
      instance: { label: undefined, status_msg: 17 },
      offer: { gpu_name: ["secret"] },
    });
    expect(finding).toMatchObject({
      verdict: "fail",
      message: "GET /api/v1/instances/: label is missing, status_msg is a number of another form",
    });
    expect(more).toMatchObject([{ verdict: "warn", message: "POST /api/v0/bundles/: gpu_name is a list" }]);
    expect(JSON.stringify([finding, more])).not.toContain("secret");
  });

  test("say where there was no row to compare", () => {
    expect(judge({ list: { instances: [], total_instances: 0, instances_found: 0 } })).toEqual([
      ok("forms", "6 of 6 kinds of answers have the expected form; no row to compare in GET /api/v1/instances/"),
    ]);
  });

  test("are not judged where nothing was answered", () => {
    expect(judgeForms(() => [])).toEqual([]);
  });
});
