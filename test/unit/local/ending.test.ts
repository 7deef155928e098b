import { expect, test } from "vitest";
import { createEnding } from "../../local/ending.ts";
import { steppingClock } from "../sandbox/stepping-clock.ts";

function setUp() {
  const clock = steppingClock();
  let forced = 0;
  const ending = createEnding(clock, () => {
    forced++;
  });
  return { clock, ending, forced: () => forced };
}

test("the first wish ends politely", () => {
  const { ending, forced } = setUp();
  expect(ending.wished.aborted).toBe(false);
  ending.wish();
  expect(ending.wished.aborted).toBe(true);
  expect(forced()).toBe(0);
});

test("one key press that arrives twice, from the terminal and from npm, is one wish", () => {
  const { clock, ending, forced } = setUp();
  ending.wish();
  clock.advance(499);
  ending.wish();
  expect(forced()).toBe(0);
});

test("a second wish ends by force", () => {
  const { clock, ending, forced } = setUp();
  ending.wish();
  clock.advance(500);
  ending.wish();
  expect(forced()).toBe(1);
});
