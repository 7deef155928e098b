import { expect, test } from "vitest";
import { steppingClock } from "../../fakes/stepping-clock.ts";
import { createShutdown } from "../../local/shutdown.ts";

function setUp() {
  const clock = steppingClock();
  let forced = 0;
  const ending = createShutdown(clock, () => {
    forced++;
  });
  return { clock, ending, forced: () => forced };
}

test("the first wish ends politely", () => {
  const { ending, forced } = setUp();
  expect(ending.requested.aborted).toBe(false);
  ending.request();
  expect(ending.requested.aborted).toBe(true);
  expect(forced()).toBe(0);
});

test("one key press that arrives twice, from the terminal and from npm, is one wish", () => {
  const { clock, ending, forced } = setUp();
  ending.request();
  clock.advance(499);
  ending.request();
  expect(forced()).toBe(0);
});

test("a second wish ends by force", () => {
  const { clock, ending, forced } = setUp();
  ending.request();
  clock.advance(500);
  ending.request();
  expect(forced()).toBe(1);
});
