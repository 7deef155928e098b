import { describe, expect, it } from "vitest";
import { rent, type Trial, trial } from "./harness.ts";

function ask(t: Trial, id: number, body = {}): string {
  const answer = t.api("PUT", `/api/v0/instances/request_logs/${id}/`, body);
  expect(answer.body.success).toBe(true);
  return String(answer.body.result_url);
}
const fetched = (t: Trial, url: string) => t.api("GET", new URL(url).pathname, undefined, null);

describe("the log of an instance", () => {
  function up(): { t: Trial; id: number } {
    const t = trial({ settings: { bootSeconds: 0, logSeconds: 30 } });
    const id = rent(t);
    t.pass(1);
    return { t, id };
  }

  it("is fetched after a while without a key, from the host that was called", () => {
    const { t, id } = up();
    const url = ask(t, id);
    expect(url).toMatch(/^http:\/\/emulator\.test\/instance_logs\/[0-9a-f]{32}\.log$/);
    expect(fetched(t, url).status).toBe(403);
    t.pass(30);
    expect(fetched(t, url).status).toBe(200);
    expect(fetched(t, url).text).toContain("listening on 8000");
  });

  it("returns the last lines, or those with a text, or the daemon's", () => {
    const { t, id } = up();
    const text = (body: object) => {
      const url = ask(t, id, body);
      t.pass(30);
      return fetched(t, url).text;
    };
    expect(text({ tail: "1" }).trim().split("\n")).toHaveLength(1);
    expect(text({ filter: "starting" })).toMatch(/^[^\n]*starting example\/app:1\n$/);
    expect(text({ filter: "nothing like it" })).toBe("");
    expect(text({ daemon_logs: "true" })).toContain(`create container C.${id}`);
  });

  it("runs only ls, rm and du, and returns their output the same way", () => {
    const { t, id } = up();
    const command = (text: string, which = id) =>
      t.api("PUT", `/api/v0/instances/command/${which}/`, { command: text });
    const answer = command("ls /");
    t.pass(30);
    expect(fetched(t, String(answer.body.result_url)).text).toBe("total 0\n");
    expect([command("reboot").body.error, command("lsof").body.error]).toEqual(["invalid_args", "invalid_args"]);
    expect(command("ls", 9).body.error).toBe("invalid_container_id");
  });

  it("answers 404 invalid_id for a missing instance, and 403 for a missing result", () => {
    const t = trial();
    const answer = t.api("PUT", "/api/v0/instances/request_logs/9", {});
    expect([answer.status, answer.body.error]).toEqual([404, "invalid_id"]);
    expect(fetched(t, "http://emulator.test/instance_logs/none.log").status).toBe(403);
  });
});
