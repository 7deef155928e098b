import { expect, test } from "vitest";
import { mixedScenario } from "./mix.ts";
import { simulate } from "./simulation.ts";

const SIZE = { hours: 1.5, pods: 3 };

test("the same seed gives the same run, byte for byte: calls, answers, files, log lines and events", async () => {
  const first = await simulate(mixedScenario(11, SIZE), { story: true });
  const again = await simulate(mixedScenario(11, SIZE), { story: true });
  expect(again.story).toEqual(first.story);
  expect(again.hash).toBe(first.hash);
  expect(first.story.length).toBeGreaterThan(100);
});

test("whether the story is kept makes no difference to the run", async () => {
  const told = await simulate(mixedScenario(12, SIZE), { story: true });
  const untold = await simulate(mixedScenario(12, SIZE));
  expect(untold.story).toEqual([]);
  expect(untold.hash).toBe(told.hash);
});

test("another seed gives another run", async () => {
  const one = await simulate(mixedScenario(11, SIZE));
  const other = await simulate(mixedScenario(12, SIZE));
  expect(other.hash).not.toBe(one.hash);
});
