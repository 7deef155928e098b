import { describe, expect, test } from "vitest";
import { WakeSignal } from "../../../common/loop.ts";
import { runReloaderPasses } from "../../../reloader/loop.ts";
import { fakeClock } from "../../fakes/fake-clock.ts";

function setUp() {
  const clock = fakeClock();
  const start = clock.now();
  const wake = new WakeSignal();
  const stop = new AbortController();
  const state = { passes: [] as number[], errors: [] as unknown[], pass: async (): Promise<number> => 3_000 };
  const loop = runReloaderPasses(
    {
      pass: () => {
        state.passes.push(clock.now() - start);
        return state.pass();
      },
      onError: (error) => state.errors.push(error),
      wake,
      clock,
    },
    stop.signal,
  );
  return { clock, wake, stop, state, loop };
}

describe("the loop", () => {
  test("runs a pass when it is due and when it is notified", async () => {
    const { clock, wake, state } = setUp();
    await clock.advance(6_500);
    wake.notify();
    await clock.advance(0);
    expect(state.passes).toEqual([0, 3_000, 6_000, 6_500]);
  });

  test("runs one more pass for any number of notifications during a pass", async () => {
    const { clock, wake, state } = setUp();
    await clock.advance(0);
    let running = 0;
    let most = 0;
    state.pass = async () => {
      running += 1;
      most = Math.max(most, running);
      await clock.sleep(100);
      running -= 1;
      return 3_000;
    };
    state.passes.length = 0;
    wake.notify();
    for (let i = 0; i < 9; i += 1) {
      await clock.advance(10);
      wake.notify();
    }
    await clock.advance(1_000);
    expect(state.passes).toEqual([0, 100]);
    expect(most).toBe(1);
  });

  test("continues after a pass that threw", async () => {
    const { clock, state } = setUp();
    state.pass = async () => {
      throw new Error("a fault");
    };
    await clock.advance(12_000);
    expect(state.errors.length).toBeGreaterThanOrEqual(2);
    expect(state.passes.length).toBeGreaterThanOrEqual(3);
  });

  test("stops as soon as it is aborted", async () => {
    const { clock, stop, loop, state } = setUp();
    await clock.advance(100);
    stop.abort();
    await loop;
    expect(state.passes).toEqual([0]);
  });

  test("stops within two seconds although a pass hangs", async () => {
    const { clock, wake, stop, loop, state } = setUp();
    await clock.advance(100);
    state.pass = () => new Promise<number>(() => undefined);
    wake.notify();
    await clock.advance(0);
    const before = clock.now();
    stop.abort();
    await clock.drive(loop);
    expect(clock.now() - before).toBeLessThan(2_000);
    expect(state.errors).toEqual([]);
  });
});

describe("a wake signal", () => {
  test("ends the present wait", async () => {
    const clock = fakeClock();
    const wake = new WakeSignal();
    const waited = wake.wait(3_000, clock).then(() => clock.now());
    await clock.advance(10);
    wake.notify();
    expect(await waited).toBe(clock.now());
  });

  test("that came while nothing waited ends the next wait, once", async () => {
    const clock = fakeClock();
    const start = clock.now();
    const wake = new WakeSignal();
    wake.notify();
    wake.notify();
    await wake.wait(3_000, clock);
    expect(clock.now()).toBe(start);
    await clock.drive(wake.wait(3_000, clock));
    expect(clock.now()).toBe(start + 3_000);
  });
});
