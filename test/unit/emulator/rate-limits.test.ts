import { describe, expect, it } from "vitest";
import { type Trial, trial } from "./harness.ts";

const limited = (more: object = {}) => trial({ settings: { rateLimits: "on", ...more } });

/** Status of the same call, repeated after `gap` seconds. */
function again(t: Trial, gap: number, method: string, url: string, body?: Record<string, string>): number[] {
  const first = t.api(method, url, body).status;
  t.pass(gap);
  return [first, t.api(method, url, body).status];
}

describe("the rate limits", () => {
  it.each<[string, string, number]>([
    ["GET", "/api/v1/instances/", 1],
    ["GET", "/api/v0/instances/5/", 2],
    ["PUT", "/api/v0/instances/5/", 1],
    ["PUT", "/api/v0/instances/reboot/5/", 1],
    ["PUT", "/api/v0/instances/recycle/5/", 1],
    ["DELETE", "/api/v0/instances/5/", 3],
    ["PUT", "/api/v0/instances/bid_price/5/", 5.5],
    ["PUT", "/api/v0/instances/update_template/5/", 2],
    ["PUT", "/api/v0/instances/command/5/", 1.5],
    ["PUT", "/api/v0/asks/5/", 4.5],
    ["GET", "/api/v0/template/", 3],
  ])("%s %s may be called every %d s", (method, url, seconds) => {
    expect(again(limited(), seconds - 0.01, method, url)[1]).toBe(429);
    const [first, second] = again(limited(), seconds, method, url);
    expect([first, second]).not.toContain(429);
  });

  it.each(["/api/v0/users/current", "/api/v0/users/me/created-templates/"])("%s has no limit", (url) => {
    expect(again(limited(), 0, "GET", url)).toEqual([200, 200]);
  });

  it("share the limit over all ids of an endpoint", () => {
    const t = limited();
    expect(t.api("GET", "/api/v0/instances/1/").status).toBe(200);
    expect(t.api("GET", "/api/v0/instances/2/").status).toBe(429);
    expect(t.api("PUT", "/api/v0/instances/2/", { label: "x" }).status).toBe(404);
  });

  it("count each key separately", () => {
    const t = limited();
    expect(t.api("GET", "/api/v1/instances/").status).toBe(200);
    expect(t.api("GET", "/api/v1/instances/", undefined, "another").status).toBe(404);
  });

  it.each([
    ["count each address separately", {}, [200, 200, 429]],
    ["count all addresses together behind one NAT", { sharedAddress: true }, [200, 429, 429]],
  ])("%s", (_, settings, statuses) => {
    const t = limited(settings);
    const from = (address: string) =>
      t.emulator.handle({
        method: "GET",
        url: "/api/v1/instances/",
        headers: { authorization: "Bearer emulator-key" },
        body: "",
        from: address,
      }).status;
    expect([from("10.0.0.1"), from("10.0.0.2"), from("10.0.0.1")]).toEqual(statuses);
  });

  it("allow ten searches a minute for an address, whatever the key", () => {
    const t = limited();
    const statuses = Array.from({ length: 11 }, (_, i) => {
      t.pass(1);
      return t.api("POST", "/api/v0/bundles/", {}, i % 2 ? null : "emulator-key").status;
    });
    expect(statuses).toEqual([...Array<number>(10).fill(200), 429]);
    t.pass(50);
    expect(t.api("POST", "/api/v0/bundles/", {}).status).toBe(200);
  });

  it("block creates for 12 s after a violation", () => {
    const t = limited();
    t.api("PUT", "/api/v0/asks/5/", {});
    expect(t.api("PUT", "/api/v0/asks/5/", {}).status).toBe(429);
    t.pass(11.9);
    expect(t.api("PUT", "/api/v0/asks/5/", {}).status).toBe(429);
    t.pass(12);
    expect(t.api("PUT", "/api/v0/asks/5/", {}).status).not.toBe(429);
  });

  it.each([
    ["plain", "API requests too frequent"],
    ["product", "API requests too frequent: endpoint threshold=2.0*1.0"],
    ["detail", '{"detail":"API requests too frequent endpoint threshold=2.0"}'],
    [
      "main",
      '{"success":false,"error":"rate_limit_exceeded","msg":"API requests too frequent endpoint threshold=2.0"}',
    ],
    ["retry-after", '{"detail":"too frequent","retry_after":2}'],
  ])("says so in the form %s", (rateLimitBody, text) => {
    const t = limited({ rateLimitBody });
    t.api("GET", "/api/v0/instances/1/");
    expect(t.api("GET", "/api/v0/instances/1/").text).toBe(text);
  });

  it("are off by default", () => {
    expect(again(trial(), 0, "GET", "/api/v1/instances/")).toEqual([200, 200]);
  });

  it("count the caller's seconds when on, and the emulator's when scaled with the clock", () => {
    // Ten emulated seconds in one real second: after 5 emulated seconds the caller has waited half a second.
    const on = trial({ timeScale: 10, settings: { rateLimits: "on" } });
    const scaled = trial({ timeScale: 10, settings: { rateLimits: "scaled" } });
    expect(again(on, 5, "GET", "/api/v1/instances/")).toEqual([200, 429]);
    expect(again(scaled, 5, "GET", "/api/v1/instances/")).toEqual([200, 200]);
  });
});
