import { describe, expect, test } from "vitest";
import { addRefusal, mustWait } from "../../../../reloader/plan/retry.ts";

describe("a config that nginx refused", () => {
  test("is tried again after 5 s, then after twice the wait each time, at least once a minute", () => {
    let refused = addRefusal(null, "a", "no", 0);
    const waits = [refused.retryAt];
    for (let i = 0; i < 5; i += 1) {
      const now = refused.retryAt;
      refused = addRefusal(refused, "a", "no", now);
      waits.push(refused.retryAt - now);
    }
    expect(waits).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
    expect(refused.failures).toBe(6);
  });

  test("waits until its retry time, and no other config waits", () => {
    const refused = addRefusal(null, "a", "no", 0);
    expect(mustWait(refused, "a", 4_999)).toBe(true);
    expect(mustWait(refused, "a", 5_000)).toBe(false);
    expect(mustWait(refused, "b", 0)).toBe(false);
    expect(mustWait(null, "a", 0)).toBe(false);
  });

  test("does not wait when the system's clock was put back", () => {
    expect(mustWait(addRefusal(null, "a", "no", 3_600_000), "a", 0)).toBe(false);
  });

  test("starts with the first wait again after another config was refused", () => {
    const first = addRefusal(addRefusal(null, "a", "no", 0), "a", "no", 0);
    expect(addRefusal(first, "b", "no", 0)).toMatchObject({ failures: 1, retryAt: 5_000 });
  });
});
