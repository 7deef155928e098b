import { describe, expect, test } from "vitest";
import { judgeReloader } from "../../../../provisioner/doctor/check-reloader.ts";

const status = { state: "applied", problem: null, warnings: [], nginx: { pid: 17, problem: null } };
const judge = (over: object) => judgeReloader(8081, { ...status, ...over });

describe("what the reloader says about nginx", () => {
  test.each([
    [{}, "ok", "master 17 may be signalled, and serves what is wanted"],
    [{ state: "settling" }, "ok", "master 17 may be signalled, and is settling"],
    [{ state: null }, "ok", "master 17 may be signalled; the reloader has not finished its first pass"],
    [{ problem: "nginx is not running", state: "nginx_down" }, "fail", "nginx is not running"],
    [{ nginx: { pid: 17, problem: "it runs as UID 0" } }, "fail", "it runs as UID 0"],
    [{ nginx: "up" }, "fail", "port 8081 does not answer like the reloader"],
  ])("%o is %s", (over, verdict, message) => {
    expect(judge(over)).toMatchObject([{ check: "nginx", verdict, message }]);
  });

  test("its warnings are passed on", () => {
    expect(judge({ warnings: ["the volume is nearly full"] })[1]).toMatchObject({ verdict: "warn" });
  });
});
