import { expect, test } from "vitest";
import { steppingClock } from "../../fakes/stepping-clock.ts";
import { createShutdown } from "../../local/shutdown.ts";

function setUp() {
  const clock = steppingClock();
  let forced = 0;
  const shutdown = createShutdown(clock, () => {
    forced++;
  });
  return { clock, shutdown, forced: () => forced };
}

test("the first request shuts down in order", () => {
  const { shutdown, forced } = setUp();
  expect(shutdown.requested.aborted).toBe(false);
  shutdown.request();
  expect(shutdown.requested.aborted).toBe(true);
  expect(forced()).toBe(0);
});

test("one key press that arrives twice, from the terminal and from npm, is one request", () => {
  const { clock, shutdown, forced } = setUp();
  shutdown.request();
  clock.advance(499);
  shutdown.request();
  expect(forced()).toBe(0);
});

test("a second request stops everything at once", () => {
  const { clock, shutdown, forced } = setUp();
  shutdown.request();
  clock.advance(500);
  shutdown.request();
  expect(forced()).toBe(1);
});
