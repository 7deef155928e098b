// What an operator's client reads and sets in the account. The requests, and what of each answer is needed, are those of the vendor's
// own tests of August 2026, which read a real account.
import { describe, expect, it } from "vitest";
import { isObject, type Json } from "../../emulator/json.ts";
import { jsonParameter, numberAt, onlyOffer, rent, rowsOf, type Trial, trial } from "./harness.ts";

const list = (body: Json) => expect(body).toEqual(expect.any(Array));
const has =
  (...fields: string[]) =>
  (body: Json) => {
    for (const field of fields) expect(body).toHaveProperty(field);
  };
const listUnder = (field: string) => (body: Json) => expect(body).toMatchObject({ [field]: expect.any(Array) });

const READS: [what: string, method: string, path: string, needs: (body: Json) => void, body?: Json][] = [
  ["the user", "GET", "users/current", has("id", "email")],
  [
    "invoices",
    "GET",
    "users/me/invoices?owner=me&sdate=0&edate=4000000000&inc_charges=true",
    has("invoices", "current"),
  ],
  ["subaccounts", "GET", "subaccounts?owner=me", listUnder("users")],
  ["addresses", "GET", "users/me/ipaddrs?owner=me", listUnder("results")],
  ["the audit log", "GET", "audit_logs/", list],
  ["environment variables", "GET", "secrets/", has("secrets")],
  ["scheduled jobs", "GET", "commands/schedule_job/", list],
  ["the second factor", "GET", "tfa/status/", has("tfa_enabled")],
  [
    "offers",
    "PUT",
    "search/asks/",
    listUnder("offers"),
    {
      select_cols: ["*"],
      q: {
        verified: { eq: true },
        external: { eq: false },
        rentable: { eq: true },
        rented: { eq: false },
        order: [["score", "desc"]],
        type: "on-demand",
        limit: 3,
        allocated_storage: 5.0,
      },
    },
  ],
  ["templates", "GET", `template/?select_cols=${jsonParameter(["*"])}&select_filters=%7B%7D`, listUnder("templates")],
  ["ssh keys", "GET", "ssh/", list],
  ["API keys", "GET", "auth/apikeys/", listUnder("apikeys")],
  ["machines", "GET", "machines?owner=me", listUnder("machines")],
  ["endpoints", "GET", "endptjobs/", listUnder("results"), { client_id: "me", api_key: "emulator-key" }],
  ["worker groups", "GET", "autojobs/", listUnder("results"), { client_id: "me", api_key: "emulator-key" }],
  ["volumes", "GET", "volumes?owner=me&type=all_volume", listUnder("volumes")],
  ["cloud connections", "GET", "users/cloud_integrations/", list],
  ["payments", "GET", "../v1/invoices/?latest_first=false&limit=20", listUnder("results")],
];

function read(t: Trial, path: string): Json {
  const answer = t.api("GET", path);
  expect(answer.status, answer.text).toBe(200);
  return JSON.parse(answer.text) as Json;
}

describe("what is read", () => {
  it.each(READS)("%s", (_, method, path, needs, body) => {
    const t = trial();
    const answer = t.api(method, new URL(path, "http://x/api/v0/").href.slice("http://x".length), body);
    expect(answer.status, answer.text).toBe(200);
    needs(JSON.parse(answer.text) as Json);
    // The user shows the key that asks, nothing else does.
    expect(answer.text.includes("emulator-key")).toBe(path === "users/current");
  });

  it.each([
    ["secrets/", "user_read"],
    ["audit_logs/", "misc"],
    ["users/me/invoices", "billing_read"],
    ["machines", "machine_read"],
  ])("%s needs the right %s", (path, scope) => {
    const t = trial();
    t.order("POST", "account", { scopes: ["instance_write"] });
    expect(t.api("GET", `/api/v0/${path}`).body.msg).toContain(scope);
  });
});

it("has a charge for each instance, and the payment, in the invoices of the time", () => {
  const t = trial({ settings: { bootSeconds: 5 } });
  const id = rent(t);
  t.pass(36_005);
  const path = "/api/v0/users/me/invoices?owner=me&sdate=0&edate=4000000000";
  const [payment, charge] = rowsOf(t.api("GET", path), "invoices");
  expect(payment).toMatchObject({ type: "payment", amount: "10000.000" });
  expect(charge).toMatchObject({ type: "charge", instance_id: id, amount: "3.642" });
  expect(t.api("GET", path).body.current).toMatchObject({ charges: expect.closeTo(3.6417, 3) });
  expect(rowsOf(t.api("GET", path.replace("edate=4000000000", "edate=1")), "invoices")).toEqual([]);
});

it("shows what has changed something in the audit log, the newest first, and from where", () => {
  const t = trial();
  const id = rent(t, { image_login: "-u bob -p hunter22 r.example" });
  t.api("POST", "/api/v0/bundles/", {});
  t.api("DELETE", "/api/v0/instances/5/"); // there is none
  t.api("PUT", `/api/v0/instances/${id}/`, { label: "x" }, "another-key");
  t.api("DELETE", `/api/v0/instances/${id}/`);
  const log = read(t, "/api/v0/audit_logs/");
  expect(log).toMatchObject([
    { ip_address: "10.1.2.3", api_key_id: 4711, api_route: `/api/v0/instances/${id}/`, args: "{}" },
    { api_route: expect.stringContaining("/asks/") },
  ]);
  expect(JSON.stringify(log)).not.toContain("hunter22");
  expect(read(t, "/api/v0/users/me/ipaddrs")).toMatchObject({ results: [{ ip: "10.1.2.3" }] });
});

it("knows its one API key, and shows its rights without its text", () => {
  const t = trial();
  t.order("POST", "account", { scopes: ["user_read"] });
  expect(read(t, "/api/v0/auth/apikeys/4711/")).toMatchObject({ id: 4711, permissions: { api: { user_read: {} } } });
  expect(t.api("GET", "/api/v0/auth/apikeys/5/").status).toBe(404);
});

it("creates, lists, changes and deletes ssh keys; without one the list is a 404, and a VM is refused", () => {
  const t = trial();
  const made = t.api("POST", "/api/v0/ssh/", { ssh_key: "ssh-ed25519 AAAA test" }).body;
  expect(made.success).toBe(true);
  const id = numberAt(isObject(made.key) ? made.key : {}, "id");
  expect(t.api("PUT", `/api/v0/ssh/${id}/`, { id, ssh_key: "ssh-ed25519 BBBB test" }).status).toBe(200);
  expect(read(t, "/api/v0/ssh/")).toMatchObject([{ id: 1 }, { id, key: "ssh-ed25519 BBBB test" }]);
  for (const one of [1, id]) expect(t.api("DELETE", `/api/v0/ssh/${one}/`).body).toEqual({ success: true });
  expect(t.api("GET", "/api/v0/ssh/").body.error).toBe("not_found");
  const vm = t.api("PUT", `/api/v0/asks/${onlyOffer(t)}/`, { image: "example/app:1", disk: 8, vm: true });
  expect([vm.status, vm.body.error]).toEqual([400, "no_ssh_key_for_vm"]);
  expect(t.api("DELETE", "/api/v0/ssh/1/").status).toBe(404);
  expect(t.api("GET", "/api/v0/users/current/").body.ssh_key).toBeNull();
});

it("creates, lists, changes and deletes environment variables, and never shows a value", () => {
  const t = trial();
  const set = (method: string) => t.api(method, "/api/v0/secrets/", { key: "TOKEN", value: "hunter22" }).status;
  expect([set("PUT"), set("POST"), set("POST"), set("PUT")]).toEqual([400, 200, 400, 200]);
  expect(read(t, "/api/v0/secrets/")).toMatchObject({ secrets: { TOKEN: "********" } });
  expect(t.order("GET", "requests").text + t.order("GET", "state").text).not.toContain("hunter22");
  expect(t.api("DELETE", "/api/v0/secrets/", { key: "TOKEN" }).status).toBe(200);
  expect(read(t, "/api/v0/secrets/")).toMatchObject({ secrets: {} });
});
