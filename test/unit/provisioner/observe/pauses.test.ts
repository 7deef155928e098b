import { expect, test } from "vitest";
import { watchPauses } from "../../../../provisioner/observe/pauses.ts";
import { fakeClock } from "../../../fakes/fake-clock.ts";

const SECOND = 1000;

/** A clock whose program can be stopped: time passes, but nobody wakes. */
function stoppable() {
  const clock = fakeClock();
  let [wall, ticks] = [0, 0];
  return {
    ...clock,
    now: () => clock.now() + wall,
    monotonic: () => clock.monotonic() + ticks,
    stopFor(ms: number, monotonicMs = ms) {
      wall += ms;
      ticks += monotonicMs;
    },
  };
}

test("a program that runs has no pauses, however long", async () => {
  const clock = stoppable();
  const stop = new AbortController();
  const pauses = watchPauses(clock, stop.signal);
  await clock.advance(3600 * SECOND);
  expect(pauses.totalMs()).toBe(0);
  stop.abort();
});

test.each([
  ["stopped", 600 * SECOND, 600 * SECOND],
  ["suspended with its machine, whose monotonic clock stands still", 600 * SECOND, 0],
])("a program that was %s knows it at once, before its timers run, and counts it once", async (_, ms, monotonicMs) => {
  const clock = stoppable();
  const stop = new AbortController();
  const pauses = watchPauses(clock, stop.signal);
  await clock.advance(30 * SECOND);
  clock.stopFor(ms, monotonicMs);
  expect(pauses.totalMs()).toBe(ms);
  expect(pauses.totalMs()).toBe(ms);
  await clock.advance(60 * SECOND);
  expect(pauses.totalMs()).toBe(ms);
  clock.stopFor(ms, monotonicMs);
  await clock.advance(30 * SECOND);
  expect(pauses.totalMs()).toBeGreaterThanOrEqual(2 * ms);
  expect(pauses.totalMs()).toBeLessThan(2 * ms + 4 * SECOND); // the time since the last tick may be in it
  stop.abort();
});

test("a late tick of a busy machine is no pause", async () => {
  const clock = stoppable();
  const stop = new AbortController();
  const pauses = watchPauses(clock, stop.signal);
  clock.stopFor(9 * SECOND);
  expect(pauses.totalMs()).toBe(0);
  stop.abort();
});
