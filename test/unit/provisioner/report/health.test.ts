import { describe, expect, test } from "vitest";
import { type LoopState, startState } from "../../../../provisioner/loop-state.ts";
import { liveness, readiness } from "../../../../provisioner/report/health.ts";
import { NOW, observation, SECOND, state } from "../plan/situation.ts";

const loop = (over: Partial<LoopState> = {}): LoopState => ({ ...startState(state(), NOW), ...over });

describe("livez", () => {
  test("is alive while the last pass finished within three times the deadline of a pass", () => {
    const at = (ms: number) => liveness(loop(), 10 * SECOND, NOW + ms);
    expect(at(390 * SECOND)).toEqual({ ok: true, why: "the last pass finished 390 s ago, the limit is 390 s" });
    expect(at(390 * SECOND + 1).ok).toBe(false);
  });

  test("does not depend on the API: only passes count", () => {
    const seen = observation([], { list: { known: false, why: { message: "HTTP 502", account: null } } });
    expect(liveness(loop({ seen, problem: "the disk is full" }), 0, NOW).ok).toBe(true);
  });
});

describe("readyz", () => {
  test("is ready after the first pass, whatever its result", () => {
    expect(readiness(loop())).toEqual({ ok: false, why: "the first pass has not finished" });
    expect(readiness(loop({ passes: 1 }))).toEqual({ ok: true, why: "ready" });
  });
});
