import { describe, expect, test } from "vitest";
import type { Master } from "../../../../reloader/nginx/master.ts";
import { masterStatus } from "../../../../reloader/nginx/master-status.ts";

const statusOf = (master: Master, maySignal: boolean) =>
  masterStatus(
    { findMaster: async () => master, forbiddenReason: (pid) => `${pid} runs as UID 0` },
    { maySignal: () => maySignal },
  );

describe("whether nginx could be reloaded", () => {
  test("is so when its master is found and takes signals of this user", async () => {
    expect(await statusOf({ found: "one", pid: 17 }, true)).toEqual({ pid: 17, problem: null });
  });

  test("is not so when the master belongs to another user", async () => {
    expect(await statusOf({ found: "one", pid: 17 }, false)).toEqual({ pid: 17, problem: "17 runs as UID 0" });
  });

  test("is not so without one master", async () => {
    for (const found of ["none", "several"] as const)
      expect(await statusOf({ found, why: "set NGINX_PID_FILE" }, true)).toEqual({
        pid: null,
        problem: "set NGINX_PID_FILE",
      });
  });
});
