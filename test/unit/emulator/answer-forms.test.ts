// The forms of an answer of which the vendor's documents and code describe two: the second one of each, which a setting chooses.
import { expect, it } from "vitest";
import type { JsonObject } from "../../emulator/json.ts";
import { onlyOffer, rent, rowsOf, type Trial, trial } from "./harness.ts";

function withSettings(settings: JsonObject): Trial {
  const t = trial({ settings: { bootSeconds: 5 } });
  t.order("POST", "settings", settings);
  return t;
}

const NO_SUCH = `/api/v0/template/?select_filters=${encodeURIComponent('{"name":{"eq":"no such"}}')}`;

it("answers a search that finds no template with an empty list", () => {
  const answer = trial().api("GET", NO_SUCH);
  expect([answer.status, answer.body]).toEqual([200, { success: true, templates_found: 0, templates: [] }]);
});

it("can answer it with 200 and success false", () => {
  const t = withSettings({ noTemplates: "success-false" });
  const answer = t.api("GET", NO_SUCH);
  expect([answer.status, answer.body]).toEqual([200, { success: false, msg: "No templates found" }]);
  expect(rowsOf(t.api("GET", "/api/v0/template/"), "templates")).toHaveLength(2);
});

it.each(["insufficient_credit", "invalid_args"])("refuses a create without credit as %s", (noCreditSlug) => {
  const t = withSettings({ noCreditSlug });
  const ask = onlyOffer(t);
  t.order("POST", "account", { credit: 0 });
  const answer = t.api("PUT", `/api/v0/asks/${ask}/`, { image: "example/app:1", disk: 8 });
  expect([answer.status, answer.body]).toEqual([
    400,
    { success: false, error: noCreditSlug, msg: "You lack credit, see the billing page.", ask_id: ask },
  ]);
});

it("can answer a create of a taken ask with 404 no_such_ask", () => {
  const answer = withSettings({ takenOfferStatus: "no-ask" }).api("PUT", "/api/v0/asks/5/", { image: "x", disk: 8 });
  expect([answer.status, answer.body]).toEqual([
    404,
    { success: false, error: "no_such_ask", msg: "No ask by id 5 is available.", ask_id: 5 },
  ]);
});

it("refuses to reboot or recycle what does not run with 400, or with 200", () => {
  const t = trial();
  const id = rent(t, { target_state: "stopped" });
  expect(t.api("PUT", `/api/v0/instances/reboot/${id}/`).body.error).toBe("invalid_args");
  expect(t.api("PUT", `/api/v0/instances/recycle/${id}/`).status).toBe(400);
  t.order("POST", "settings", { notRunningStatus: 200 });
  for (const call of ["reboot", "recycle"]) {
    const answer = t.api("PUT", `/api/v0/instances/${call}/${id}/`);
    expect([answer.status, answer.body.success, answer.body.error]).toEqual([200, false, "invalid_id"]);
  }
});

it("refuses a state that does not exist without a slug", () => {
  const t = trial();
  const answer = t.api("PUT", `/api/v0/instances/${rent(t)}/`, { state: "paused" });
  expect([answer.status, answer.body]).toEqual([400, { success: false, msg: "Invalid target state" }]);
});

it.each([
  ["text", undefined],
  ["slug", "resources_unavailable"],
])("answers a queued start with a %s", (queuedStart, error) => {
  const t = withSettings({ queuedStart });
  const id = rent(t);
  t.order("POST", `instances/${id}/stop`);
  t.order("POST", `instances/${id}/relet`);
  const answer = t.api("PUT", `/api/v0/instances/${id}/`, { state: "running" });
  expect([answer.status, answer.body.success, answer.body.error]).toEqual([200, false, error]);
  expect(answer.body.msg).toBe("Required resources are currently unavailable, state change queued.");
});

it("answers a bulk call that finds none with 404, and takes 64 ids", () => {
  const t = trial();
  const id = rent(t);
  const call = (method: string, body: JsonObject) => {
    const answer = t.api(method, "/api/v0/instances/", body);
    return [answer.status, answer.body.error];
  };
  expect(call("DELETE", { instance_ids: [1, 2] })).toEqual([404, "instances_not_found"]);
  expect(call("DELETE", { instance_ids: [] })).toEqual([404, "instances_not_found"]);
  expect(call("PUT", { state: "stopped", ids: [1, 2] })).toEqual([404, "invalid_args"]);
  const many = Array.from({ length: 64 }, (_, n) => n + 1);
  expect(call("DELETE", { instance_ids: [...many, id] })).toEqual([400, "invalid_args"]);
  expect(call("PUT", { state: "stopped", ids: [...many, id] })).toEqual([400, "invalid_args"]);
  expect(call("DELETE", { instance_ids: [...many.slice(1), id] })).toEqual([200, undefined]);
});

const RECIPE = { name: "recipe", image: "example/app", tag: "3", env: "-p 8000:8000" };

it("answers a new template with equal content with the existing one, or refuses it", () => {
  const t = trial();
  const first = t.api("POST", "/api/v0/template/", RECIPE).body.template;
  expect(t.api("POST", "/api/v0/template/", RECIPE).body).toMatchObject({ success: true, template: first });
  t.order("POST", "settings", { equalTemplate: "refused" });
  const answer = t.api("POST", "/api/v0/template/", RECIPE);
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({ success: false, msg: expect.stringContaining("Existing Template Found: ") });
});

it("edits a template under its id, or makes a new version of one that others can use", () => {
  const t = withSettings({ sharedTemplateEdit: "new-id" });
  const edit = (isPrivate: boolean) => {
    const made = t.api("POST", "/api/v0/template/", { ...RECIPE, desc: String(isPrivate), private: isPrivate });
    const before = made.body.template as JsonObject;
    const answer = t.api("PUT", "/api/v0/template/", { hash_id: before.hash_id ?? null, readme: "new" });
    return { before, after: answer.body.template as JsonObject };
  };
  const own = edit(true);
  expect(own.after.id).toBe(own.before.id);
  const shared = edit(false);
  expect(shared.after.id).not.toBe(shared.before.id);
  expect(shared.after).toMatchObject({ name: "recipe", readme: "new", private: false });
  const left = rowsOf(t.api("GET", "/api/v0/users/me/created-templates/"), "templates");
  expect(left.find(({ id }) => id === shared.before.id)?.hash_id).toBe(shared.before.hash_id);
});

it("lists 25 rows without a limit, or 5", () => {
  const t = trial({ machines: 0 });
  for (let n = 0; n < 7; n++) t.order("POST", "instances", { label: "x" });
  const rows = (query: string) => rowsOf(t.api("GET", `/api/v1/instances/${query}`), "instances").length;
  expect(rows("")).toBe(7);
  t.order("POST", "settings", { omittedLimit: 5 });
  expect([rows(""), rows("?limit=25")]).toEqual([5, 7]);
});
