import { describe, expect, test } from "vitest";
import { runPasses, WakeSignal } from "../../../common/loop.ts";
import { fakeClock } from "../../fakes/fake-clock.ts";

const SECOND = 1000;

/** Runs passes that take no time until `stopAt` of them have begun; records when each began and what failed. */
async function run(passOf: (n: number, wake: WakeSignal) => number | Promise<number>, stopAt: number) {
  const clock = fakeClock(0);
  const wake = new WakeSignal();
  const stop = new AbortController();
  const beganAt: number[] = [];
  const errors: unknown[] = [];
  const pass = async () => {
    beganAt.push(clock.now());
    if (beganAt.length === stopAt) stop.abort();
    return passOf(beganAt.length, wake);
  };
  await clock.drive(runPasses({ pass, onError: (error) => void errors.push(error), wake, clock }, stop.signal));
  return { beganAt, errors, endedAt: clock.now() };
}

describe("the loop", () => {
  test("waits between two passes for as long as the pass asks", async () => {
    const { beganAt } = await run((n) => n * SECOND, 4);
    expect(beganAt).toEqual([0, 1 * SECOND, 3 * SECOND, 6 * SECOND]);
  });

  test("continues 5 s after a pass that threw, and reports the error", async () => {
    const { beganAt, errors } = await run((n) => {
      if (n === 1) throw new Error("broken");
      return SECOND;
    }, 3);
    expect(beganAt).toEqual([0, 5 * SECOND, 6 * SECOND]);
    expect(errors).toEqual([new Error("broken")]);
  });

  test("ends after the pass during which it is stopped, without waiting", async () => {
    const { beganAt, endedAt } = await run(() => 60 * SECOND, 1);
    expect([beganAt, endedAt]).toEqual([[0], 0]);
  });

  test("makes one more pass at once after notifications during a pass, however many", async () => {
    const notifyTwice = (n: number, wake: WakeSignal) => {
      if (n === 1) {
        wake.notify();
        wake.notify();
      }
      return SECOND;
    };
    expect((await run(notifyTwice, 3)).beganAt).toEqual([0, 0, 1 * SECOND]);
  });

  test("runs no pass when it is stopped before it starts", async () => {
    const stopped = AbortSignal.abort();
    const pass = () => Promise.reject(new Error("a pass ran"));
    const onError = (error: unknown) => {
      throw error;
    };
    await runPasses({ pass, onError, wake: new WakeSignal(), clock: fakeClock(0) }, stopped);
  });

  test("ends at once when it is stopped while it waits", async () => {
    const clock = fakeClock(0);
    const stop = new AbortController();
    const parts = { pass: async () => 60 * SECOND, onError: () => undefined, wake: new WakeSignal(), clock };
    const loop = runPasses(parts, stop.signal);
    await clock.advance(10 * SECOND);
    stop.abort();
    await loop;
    expect(clock.now()).toBe(10 * SECOND);
  });
});

describe("the wake signal", () => {
  test("ends a running wait early", async () => {
    const [clock, wake] = [fakeClock(0), new WakeSignal()];
    let awake = false;
    const waiting = wake.wait(60 * SECOND, clock).then(() => {
      awake = true;
    });
    await clock.advance(SECOND);
    expect(awake).toBe(false);
    wake.notify();
    await waiting;
    expect(clock.now()).toBe(SECOND);
  });

  test("ends the next wait at once, and only that one", async () => {
    const [clock, wake] = [fakeClock(0), new WakeSignal()];
    wake.notify();
    await wake.wait(60 * SECOND, clock);
    expect(clock.now()).toBe(0);
    await clock.drive(wake.wait(60 * SECOND, clock));
    expect(clock.now()).toBe(60 * SECOND);
  });
});
