import pino from "pino";
import { describe, expect, test } from "vitest";
import { appliedSchema } from "../../../../common/reloader-status.ts";
import { Report } from "../../../../reloader/report/report.ts";
import { PASS, server } from "../samples.ts";

const NGINX = { pid: 17, problem: null };

const report = () => new Report(pino({ level: "silent" }), 0, 0);

describe("the status document", () => {
  test("has the part that the provisioner relies on, before and after the first pass", () => {
    const one = report();
    expect(appliedSchema.parse(one.status(NGINX))).toEqual({ applied: null });
    one.finish(PASS, 1_000, 1_000);
    expect(appliedSchema.parse(one.status(NGINX))).toEqual({ applied: PASS.applied });
  });

  test("has what is desired, the last reload and when the upstream file was written", () => {
    const one = report();
    one.finish(PASS, 1_000, 1_000);
    expect(one.status(NGINX)).toMatchObject({
      desired: { generation: 2, server: server(), hash: "h" },
      problem: null,
      upstreamSeenAt: "1970-01-01T00:00:00.400Z",
      lastReload: { at: "1970-01-01T00:00:00.500Z", acceptedMs: 10, settledMs: 110 },
      reloads: 1,
    });
  });

  test("keeps what was proven when a later pass proves nothing", () => {
    const one = report();
    one.finish(PASS, 1_000, 1_000);
    one.finish(
      { ...PASS, applied: null, problem: "nginx is gone", reload: null, upstreamWrittenAt: null },
      2_000,
      2_000,
    );
    expect(one.status(NGINX)).toMatchObject({
      applied: PASS.applied,
      problem: "nginx is gone",
      upstreamSeenAt: "1970-01-01T00:00:00.400Z",
      reloads: 1,
    });
  });

  test("counts a reload once, although several passes wait for its end", () => {
    const one = report();
    for (const settledMs of [null, null, 900]) {
      one.finish({ ...PASS, reload: { at: 500, acceptedMs: 10, settledMs } }, 1_000, 1_000);
    }
    expect(one.status(NGINX)).toMatchObject({ reloads: 1, lastReload: { settledMs: 900 } });
  });

  test("shows a pass that threw until one finishes", () => {
    const one = report();
    one.fail(new Error("a fault"));
    expect(one.status(NGINX)).toMatchObject({ problem: "reconcile failed with an internal error: a fault" });
    one.finish(PASS, 1_000, 1_000);
    expect(one.status(NGINX)).toMatchObject({ problem: null });
  });
});

describe("the probes", () => {
  test("liveness counts only finished passes", () => {
    const one = report();
    expect(one.live(40_000).ok).toBe(true);
    expect(one.live(50_000).ok).toBe(false);
    one.finish(PASS, 50_000, 50_000);
    expect(one.live(90_000).ok).toBe(true);
    one.fail(new Error("a fault"));
    expect(one.live(100_000).ok).toBe(false);
  });

  test("readiness comes with the first finished pass, whatever its outcome", () => {
    const one = report();
    expect(one.ready().ok).toBe(false);
    one.finish({ ...PASS, applied: null, problem: "nginx is not running" }, 1_000, 1_000);
    expect(one.ready().ok).toBe(true);
  });
});
