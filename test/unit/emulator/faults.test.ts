import { describe, expect, it } from "vitest";
import { errorForms } from "../../emulator/control/fault-rule.ts";
import type { JsonObject } from "../../emulator/json.ts";
import { listed, rent, type Trial, trial } from "./harness.ts";

const LIST = "/api/v1/instances/";
function faulty(rule: JsonObject, t: Trial = trial()): Trial {
  expect(t.order("POST", "faults", rule).status).toBe(200);
  return t;
}
const statuses = (t: Trial, count: number) => Array.from({ length: count }, () => t.api("GET", LIST).status);

describe("which calls a fault hits", () => {
  it("hits one matching call and is used up", () => {
    expect(statuses(faulty({ effect: { status: 503 } }), 3)).toEqual([503, 200, 200]);
  });

  it("hits `times` calls after it has let `skip` calls pass", () => {
    expect(statuses(faulty({ skip: 1, times: 2, effect: { status: 503 } }), 5)).toEqual([200, 503, 503, 200, 200]);
  });

  it("hits every call with times 0", () => {
    expect(statuses(faulty({ times: 0, effect: { status: 503 } }), 4)).toEqual([503, 503, 503, 503]);
  });

  it("matches method and path", () => {
    const t = faulty({ method: "delete", path: "/instances/\\d+", effect: { status: 503 } });
    expect(t.api("GET", "/api/v0/instances/5/").status).toBe(200);
    expect(t.api("DELETE", "/api/v0/instances/").status).toBe(400);
    expect(t.api("DELETE", "/api/v0/instances/5/").status).toBe(503);
  });

  it("hits with its probability, and the same calls for the same seed", () => {
    const rule = { times: 0, probability: 0.3, effect: { status: 503 } };
    const hits = statuses(faulty(rule), 200).filter((status) => status === 503).length;
    expect(hits).toBeGreaterThan(30);
    expect(hits).toBeLessThan(90);
    expect(statuses(faulty(rule), 50)).toEqual(statuses(faulty(rule), 50));
  });

  it("uses the first rule that is not used up, until a test removes it", () => {
    const t = faulty({ effect: { status: 500 } });
    faulty({ times: 0, effect: { status: 502 } }, t);
    expect(statuses(t, 3)).toEqual([500, 502, 502]);
    expect(t.order("DELETE", "faults/2").body).toEqual({ removed: 1 });
    expect(statuses(t, 1)).toEqual([200]);
    faulty({ times: 0, effect: { status: 502 } }, t);
    expect(t.order("DELETE", "faults").body).toEqual({ removed: 2 });
    expect(statuses(t, 1)).toEqual([200]);
  });

  it("refuses an invalid rule, and says why", () => {
    const t = trial();
    for (const rule of [
      { effect: { kind: "explode" } },
      { path: "(", effect: { status: 500 } },
      { effect: {} },
      { when: 1 },
    ]) {
      const answer = t.order("POST", "faults", rule);
      expect(answer.status).toBe(400);
      expect(String(answer.body.error).length).toBeGreaterThan(10);
    }
  });
});

describe("what a fault does", () => {
  const relabel = (t: Trial, id: number) => t.api("PUT", `/api/v0/instances/${id}/`, { label: "new" });
  /** One PUT under the fault: its answer, and whether it was executed. */
  function hit(effect: JsonObject) {
    const t = trial();
    const id = rent(t);
    faulty({ method: "PUT", effect }, t);
    const answer = relabel(t, id);
    return { answer, done: listed(t, id)?.label === "new" };
  }

  it.each<[string, JsonObject, number, string, boolean]>([
    ["answers another status and body", { status: 410, body: { a: 1 } }, 410, "whole", false],
    [
      "answers with a body and type of any kind",
      { status: 200, body: "plain", contentType: "text/plain" },
      200,
      "whole",
      false,
    ],
    ["answers a page", { kind: "html" }, 200, "whole", false],
    ["answers a gateway's page with its status", { kind: "html", status: 502 }, 502, "whole", false],
    ["does it and answers half of the JSON", { kind: "garbage" }, 200, "whole", true],
    ["cuts the connection before", { kind: "cut-before" }, 0, "cut", false],
    ["cuts the connection after", { kind: "cut-after" }, 200, "cut", true],
    ["hangs before", { kind: "hang-before" }, 0, "hang", false],
    ["hangs after", { kind: "hang-after" }, 200, "hang", true],
    ["does it and answers 502", { kind: "commit-then", status: 502 }, 502, "whole", true],
    ["does it and answers late", { kind: "delay", seconds: 9 }, 200, "whole", true],
    ["does it and drips the body", { kind: "slow-body", bytesPerSecond: 10 }, 200, "slow", true],
    ["does it and changes the answer", { kind: "rewrite", set: { success: false } }, 200, "whole", true],
  ])("%s", (_, effect, status, delivery, done) => {
    const { answer, done: wasDone } = hit(effect);
    expect([answer.status, answer.raw.delivery.kind, wasDone]).toEqual([status, delivery, done]);
  });

  it("returns exactly the given body", () => {
    expect(hit({ status: 418, body: { tea: true } }).answer.raw).toMatchObject({
      body: '{"tea":true}',
      contentType: "application/json",
    });
    expect(hit({ status: 200, body: "hello", contentType: "text/plain" }).answer.raw).toMatchObject({
      body: "hello",
      contentType: "text/plain",
    });
    expect(hit({ kind: "html" }).answer.raw).toMatchObject({
      contentType: "text/html",
      body: expect.stringContaining("<html>"),
    });
  });

  it("returns JSON that cannot be parsed", () => {
    expect(() => JSON.parse(hit({ kind: "garbage" }).answer.text)).toThrow(SyntaxError);
  });

  it("changes fields of a list, so that it is wrong", () => {
    const t = faulty({ effect: { kind: "rewrite", set: { instances: null } } });
    expect(t.api("GET", LIST).body).toMatchObject({ success: true, instances: null, total_instances: 0 });
  });

  it("keeps a destroyed row in the list", () => {
    const t = trial();
    const id = rent(t);
    faulty({ method: "DELETE", effect: { kind: "linger", seconds: 40 } }, t);
    expect(t.api("DELETE", `/api/v0/instances/${id}/`).body.success).toBe(true);
    t.pass(39);
    expect(listed(t, id)).not.toBeNull();
    t.pass(1);
    expect(listed(t, id)).toBeNull();
  });

  it.each(errorForms.map((form) => [form]))("answers any status in the error form %s", (form) => {
    const t = faulty({ effect: { kind: "error", status: 409, form, error: "a_slug", msg: "some text" } });
    const answer = t.api("GET", LIST);
    expect(answer.status).toBe(409);
    const expected: Record<string, unknown> = {
      main: { success: false, error: "a_slug", msg: "some text" },
      "no-success": { error: "a_slug", msg: "some text" },
      msg: { msg: "some text" },
      message: { message: "some text" },
      detail: { detail: "some text" },
      ask: { success: false, error: "a_slug", msg: "some text", ask_id: 0 },
    };
    if (form === "text") expect(answer.text).toBe("some text");
    else if (form === "html") expect(answer.raw.contentType).toBe("text/html");
    else expect(answer.body).toEqual(expected[form]);
  });

  it("is in the record of calls", () => {
    const t = faulty({ effect: { kind: "cut-after" } });
    t.api("GET", LIST);
    expect(t.order("GET", "requests").body.value).toMatchObject([{ note: "fault cut-after", path: LIST }]);
  });
});

describe("control routes", () => {
  it("say that a route, instance, event or offer does not exist", () => {
    const t = trial();
    expect(t.order("GET", "nothing").status).toBe(404);
    expect(t.order("POST", "instances/any/kill").status).toBe(404);
    const id = rent(t);
    expect(t.order("POST", `instances/${id}/explode`).body.error).toContain("kill, exit, offline");
    expect(t.order("POST", `instances/${id}/constructor`).status).toBe(404);
    expect(t.order("DELETE", "offers/1").status).toBe(404);
  });

  it("refuse invalid bodies", () => {
    const t = trial();
    const id = rent(t);
    expect(t.order("POST", "settings", { bootSecond: 5 }).status).toBe(400);
    expect(t.order("POST", "settings", "{").status).toBe(400);
    expect(t.order("POST", `instances/${id}/slow`, { delayMs: "x" }).status).toBe(400);
    expect(t.order("POST", "account", { money: 5 }).status).toBe(400);
    expect(t.order("POST", "clock", { advanceSeconds: -1 }).status).toBe(400);
  });

  it("refuse badly encoded paths, and do not take a path for a host", () => {
    expect(trial().order("GET", "instances/%zz").status).toBe(400);
    expect(trial().api("GET", "//x/api/v1/instances/").status).toBe(404);
  });

  it("advance the clock", () => {
    const t = trial({ settings: { bootSeconds: 60 } });
    const id = rent(t);
    t.order("POST", "clock", { advanceSeconds: 60 });
    expect(listed(t, id)?.actual_status).toBe("running");
  });

  it("use the newest live instance for `any`", () => {
    const t = trial();
    rent(t);
    const second = rent(t);
    expect(t.order("POST", "instances/any/kill").body).toEqual({ id: second });
  });
});
