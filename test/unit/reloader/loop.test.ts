import { describe, expect, test } from "vitest";
import { runLoop } from "../../../reloader/loop.ts";
import { WakeSignal } from "../../../reloader/watch.ts";
import { fakeClock } from "../../fakes/fake-clock.ts";

function setUp() {
  const clock = fakeClock();
  const start = clock.now();
  const bell = new WakeSignal();
  const stop = new AbortController();
  const world = { passes: [] as number[], errors: [] as unknown[], pass: async (): Promise<number> => 3_000 };
  const loop = runLoop(
    {
      pass: () => {
        world.passes.push(clock.now() - start);
        return world.pass();
      },
      onError: (error) => world.errors.push(error),
      wake: bell,
      clock,
    },
    stop.signal,
  );
  return { clock, bell, stop, world, loop };
}

describe("the loop", () => {
  test("passes when due and when it is rung", async () => {
    const { clock, bell, world } = setUp();
    await clock.advance(6_500);
    bell.notify();
    await clock.advance(0);
    expect(world.passes).toEqual([0, 3_000, 6_000, 6_500]);
  });

  test("folds everything that rings during a pass into one more pass", async () => {
    const { clock, bell, world } = setUp();
    await clock.advance(0);
    let running = 0;
    let most = 0;
    world.pass = async () => {
      running += 1;
      most = Math.max(most, running);
      await clock.sleep(100);
      running -= 1;
      return 3_000;
    };
    world.passes.length = 0;
    bell.notify();
    for (let i = 0; i < 9; i += 1) {
      await clock.advance(10);
      bell.notify();
    }
    await clock.advance(1_000);
    expect(world.passes).toEqual([0, 100]);
    expect(most).toBe(1);
  });

  test("goes on after a pass that threw", async () => {
    const { clock, world } = setUp();
    world.pass = async () => {
      throw new Error("a fault");
    };
    await clock.advance(12_000);
    expect(world.errors.length).toBeGreaterThanOrEqual(2);
    expect(world.passes.length).toBeGreaterThanOrEqual(3);
  });

  test("ends as soon as it is told to", async () => {
    const { clock, stop, loop, world } = setUp();
    await clock.advance(100);
    stop.abort();
    await loop;
    expect(world.passes).toEqual([0]);
  });

  test("ends within two seconds although a pass hangs", async () => {
    const { clock, bell, stop, loop, world } = setUp();
    await clock.advance(100);
    world.pass = () => new Promise<number>(() => undefined);
    bell.notify();
    await clock.advance(0);
    const before = clock.now();
    stop.abort();
    await clock.drive(loop);
    expect(clock.now() - before).toBeLessThan(2_000);
    expect(world.errors).toEqual([]);
  });
});
