import { describe, expect, test } from "vitest";
import { stopwatch, systemClock, withDeadline } from "../../../common/clock.ts";
import { fakeClock } from "../../fakes/fake-clock.ts";

describe("a deadline", () => {
  const hang = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

  const hangNot = async () => {
    throw new Error("its own");
  };

  test("returns the result of the work, and leaves no sleep behind", async () => {
    const clock = fakeClock();
    const began = clock.now();
    expect(await withDeadline(clock, 1000, undefined, async () => "done")).toBe("done");
    expect(clock.now()).toBe(began);
  });

  test("aborts work that hangs, by the given clock", async () => {
    const clock = fakeClock();
    const work = withDeadline(clock, 1000, undefined, hang);
    await expect(clock.drive(work)).rejects.toThrow("no answer within 1000 ms");
  });

  test("does not abort too early", async () => {
    const clock = fakeClock();
    let over = false;
    const work = withDeadline(clock, 1000, undefined, hang).catch(() => {
      over = true;
    });
    await clock.advance(999);
    expect(over).toBe(false);
    await clock.advance(1);
    await work;
    expect(over).toBe(true);
  });

  test("aborts together with its parent, with the parent's reason", async () => {
    const parent = new AbortController();
    const work = withDeadline(fakeClock(), 1000, parent.signal, hang);
    parent.abort(new Error("the program ends"));
    await expect(work).rejects.toThrow("the program ends");
  });

  test("that begins after its parent was aborted is aborted from the start", async () => {
    const work = withDeadline(fakeClock(), 1000, AbortSignal.abort("over"), async (signal) => signal.reason);
    expect(await work).toBe("over");
  });

  test("leaves no listener on a long-lived parent", async () => {
    const parent = new AbortController();
    const { signal } = parent;
    const { addEventListener, removeEventListener } = signal;
    let left = 0;
    signal.addEventListener = (...call: unknown[]) => {
      left += 1;
      Reflect.apply(addEventListener, signal, call);
    };
    signal.removeEventListener = (...call: unknown[]) => {
      left -= 1;
      Reflect.apply(removeEventListener, signal, call);
    };
    await withDeadline(fakeClock(), 1000, parent.signal, async () => "done");
    await withDeadline(fakeClock(), 1000, parent.signal, hangNot).catch(() => undefined);
    expect(left).toBe(0);
  });

  test("throws what the work throws", async () => {
    const failing = async () => {
      throw new TypeError("its own");
    };
    await expect(withDeadline(fakeClock(), 1000, undefined, failing)).rejects.toThrow(TypeError);
  });
});

describe("a stopwatch", () => {
  test.each([
    ["both clocks advance", 3000, 3000, 3000],
    ["the machine was suspended: its monotonic clock stood still", 600_000, 0, 600_000],
    ["the system's clock was set back", -3_600_000, 5000, 5000],
  ])("counts the clock that has advanced more: %s", (_, wallMs, monotonicMs, expected) => {
    let [now, ticks] = [1_000_000, 0];
    const elapsedMs = stopwatch({ now: () => now, monotonic: () => ticks });
    expect(elapsedMs()).toBe(0);
    [now, ticks] = [now + wallMs, ticks + monotonicMs];
    expect(elapsedMs()).toBe(expected);
  });
});

describe("the system's clock", () => {
  test("stops a sleep immediately when it is aborted, without an error", async () => {
    const stop = new AbortController();
    const sleeping = systemClock.sleep(3_600_000, stop.signal);
    stop.abort();
    await expect(sleeping).resolves.toBeUndefined();
    await expect(systemClock.sleep(3_600_000, AbortSignal.abort())).resolves.toBeUndefined();
  });

  test("returns epoch milliseconds", () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000);
  });
});
