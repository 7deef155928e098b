import { describe, expect, it } from "vitest";
import { rent, trial } from "./harness.ts";

describe("a wrong, missing or revoked key", () => {
  it("answers a wrong key with 404 auth_error, also where none is needed", () => {
    for (const [method, path] of [
      ["GET", "/api/v1/instances/"],
      ["POST", "/api/v0/bundles/"],
    ] as const) {
      const answer = trial().api(method, path, {}, "no-such-key");
      expect(answer.status).toBe(404);
      expect(answer.body).toEqual({ success: false, error: "auth_error", msg: "Invalid user key" });
    }
  });

  it("answers a call without a key with 403", () => {
    const answer = trial().api("GET", "/api/v1/instances/", undefined, null);
    expect(answer.status).toBe(403);
    expect(answer.body).toEqual({ success: false, error: "auth_error", msg: "This action requires login." });
  });

  it("answers an expired session with a 404 that has no slug", () => {
    const t = trial();
    t.order("POST", "account", { sessionExpired: true });
    const answer = t.api("DELETE", "/api/v0/instances/1/");
    expect(answer.status).toBe(404);
    expect(answer.body).toEqual({ success: false, msg: "Session expired. Please log in again." });
  });

  it("can answer 401, as the documentation says", () => {
    const t = trial();
    t.order("POST", "settings", { badKeyStatus: 401 });
    expect(t.api("GET", "/api/v0/users/current", undefined, "x").status).toBe(401);
  });

  it("refuses a key that was revoked", () => {
    const t = trial();
    t.order("POST", "account", { keyRevoked: true });
    expect(t.api("GET", "/api/v0/users/current").body.error).toBe("auth_error");
  });

  it("searches offers and lists GPU names without a key", () => {
    const t = trial();
    expect(t.api("POST", "/api/v0/bundles/", {}, null).status).toBe(200);
    expect(t.api("GET", "/api/v0/gpu_names/unique/", undefined, null).status).toBe(200);
  });

  it("accepts the key as a query parameter too", () => {
    const answer = trial().api("GET", "/api/v0/users/current/?api_key=emulator-key", undefined, null);
    expect([answer.status, answer.body.username]).toEqual([200, "owner"]);
  });
});

describe("restricted keys", () => {
  it("refuses with 403 what the key's scopes do not include", () => {
    const t = trial();
    t.order("POST", "account", { scopes: ["misc", "user_read", "instance_read"] });
    expect(t.api("GET", "/api/v1/instances/").status).toBe(200);
    const answer = t.api("DELETE", "/api/v0/instances/1/");
    expect([answer.status, answer.body.error]).toEqual([403, "not_authorized"]);
  });

  it("refuses everything with 401 while a second factor is required", () => {
    const t = trial();
    t.order("POST", "account", { twoFactor: true });
    const answer = t.api("GET", "/api/v1/instances/");
    expect(answer.status).toBe(401);
    expect(answer.body.msg).toContain("Two Factor Authentication login");
  });

  it("lets an instance's key manage only that instance", () => {
    const t = trial();
    const created = t.api("PUT", `/api/v0/asks/${t.emulator.world.market.offers.keys().next().value}/`, {
      image: "example/app:1",
      disk: 8,
    });
    const key = String(created.body.instance_api_key);
    const own = `/api/v0/instances/${created.body.new_contract}/`;
    const other = `/api/v0/instances/${rent(t)}/`;
    expect(t.api("PUT", own, { label: "mine" }, key).status).toBe(200);
    expect(t.api("PUT", other, { label: "mine" }, key).status).toBe(403);
    expect(t.api("GET", "/api/v1/instances/", undefined, key).status).toBe(403);
    expect(t.api("DELETE", own, undefined, key).status).toBe(200);
    expect(t.api("GET", own, undefined, key).status).toBe(404);
  });
});

describe("the record of calls", () => {
  it("has method, path, query, body, status and whether the key was valid, but never the key", () => {
    const t = trial();
    t.api("GET", "/api/v1/instances/?limit=3");
    t.api("PUT", "/api/v0/instances/5/", { label: "x" }, "another-key");
    t.api("GET", "/api/v0/users/current/?api_key=emulator-key", undefined, null);
    const { text, body } = t.order("GET", "requests?since=0");
    expect(body.value).toMatchObject([
      {
        n: 1,
        method: "GET",
        path: "/api/v1/instances/",
        query: { limit: "3" },
        status: 200,
        authorization: "Bearer right",
      },
      {
        n: 2,
        method: "PUT",
        path: "/api/v0/instances/5/",
        body: { label: "x" },
        status: 404,
        authorization: "Bearer wrong",
      },
      { n: 3, path: "/api/v0/users/current/", authorization: "query right" },
    ]);
    expect(text).not.toMatch(/emulator-key|another-key/);
  });

  it("returns only the calls after a number", () => {
    const t = trial();
    for (let i = 0; i < 3; i++) t.api("GET", "/api/v1/instances/");
    expect(t.order("GET", "requests?since=2").body.value).toMatchObject([{ n: 3 }]);
  });

  it("shows a registry password only as the start of its SHA-256", () => {
    const t = trial();
    rent(t, { image_login: "-u bob -p hunter22 r.example" });
    const everything = t.order("GET", "requests").text + t.order("GET", "state").text;
    expect(everything).not.toContain("hunter22");
    expect(everything).toContain("-u bob -p sha256:20d2fe5e369db54e r.example");
  });
});
