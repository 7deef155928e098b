import { describe, expect, it } from "vitest";
import { dump, listed, rent, rowsOf, trial } from "./harness.ts";

const show = (id: number) => `/api/v0/instances/${id}/?owner=me`;

describe("which instances are shown", () => {
  it("shows null for an unknown id", () => {
    const answer = trial().api("GET", show(4242));
    expect([answer.status, answer.body]).toEqual([200, { instances: null }]);
  });

  it("can show 404 instead", () => {
    const t = trial();
    t.order("POST", "settings", { showMissing: "404" });
    expect([t.api("GET", show(4242)).status, t.api("GET", show(4242)).body.error]).toEqual([404, "no_such_instance"]);
  });

  it("shows an existing instance under the plural name", () => {
    const t = trial();
    const id = rent(t);
    expect(t.api("GET", show(id)).body).toMatchObject({ instances: { id, label: "k8s_pod=a" } });
  });

  it("lists and shows a new instance only after the visibility lag", () => {
    const t = trial({ settings: { visibilityLagSeconds: 4 } });
    const id = rent(t);
    expect([listed(t, id), t.api("GET", show(id)).body.instances]).toEqual([null, null]);
    t.pass(4);
    expect(listed(t, id)).toMatchObject({ id });
    expect(t.api("GET", show(id)).body.instances).toMatchObject({ id });
  });

  it("still lists a destroyed instance during the destroy lag, without server and bill", () => {
    const t = trial({ settings: { destroyLagSeconds: 20, bootSeconds: 0 } });
    const id = rent(t);
    t.pass(1);
    expect(t.emulator.endpoints()).toHaveLength(1);
    t.api("DELETE", `/api/v0/instances/${id}/`);
    const { cost } = dump(t, id);
    t.pass(19);
    expect(listed(t, id)).toMatchObject({ id, actual_status: "running" });
    expect(t.emulator.endpoints()).toHaveLength(0);
    expect(dump(t, id).cost).toEqual(cost);
    t.pass(1);
    expect([listed(t, id), t.api("GET", show(id)).body.instances]).toEqual([null, null]);
  });
});

describe("changing a missing instance", () => {
  it.each(["no_such_instance", "not_found"])("answers 404 %s", (slug) => {
    const t = trial();
    t.order("POST", "settings", { missingInstance: slug });
    for (const answer of [
      t.api("DELETE", "/api/v0/instances/99/"),
      t.api("PUT", "/api/v0/instances/99/", { label: "x" }),
    ]) {
      expect([answer.status, answer.body.error]).toEqual([404, slug]);
    }
  });

  it.each([
    ["GET", "/api/v0/instances/abc/", 400, "invalid_args"],
    ["DELETE", "/api/v0/instances/1.5/", 400, "invalid_args"],
    ["PUT", "/api/v0/instances/reboot/abc/", 400, "invalid_args"],
    ["PUT", "/api/v0/instances/recycle/abc/", 400, "invalid_id"],
    ["PUT", "/api/v0/instances/request_logs/abc", 404, "invalid_id"],
    ["PUT", "/api/v0/asks/abc/", 400, "invalid_args"],
  ])("tells an id that is no number: %s %s", (method, url, status, slug) => {
    const answer = trial().api(method, url, {});
    expect([answer.status, answer.body.error]).toEqual([status, slug]);
  });

  it("finds nothing to destroy the second time, although the row is still listed", () => {
    const t = trial({ settings: { destroyLagSeconds: 20 } });
    const id = rent(t);
    expect(t.api("DELETE", `/api/v0/instances/${id}/`).status).toBe(200);
    expect(t.api("DELETE", `/api/v0/instances/${id}/`).status).toBe(404);
    expect(listed(t, id)).not.toBeNull();
  });

  it("destroys several at once, and reports an id that is not a number", () => {
    const t = trial();
    const [a, b] = [rent(t), rent(t)];
    expect(t.api("DELETE", "/api/v0/instances/", { instance_ids: [a, b] }).status).toBe(200);
    expect(rowsOf(t.api("GET", "/api/v1/instances/"), "instances")).toEqual([]);
    expect(t.api("DELETE", "/api/v0/instances/", { instance_ids: ["x"] }).body.error).toBe("invalid_args");
  });
});
