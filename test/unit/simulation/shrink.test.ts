import { expect, test } from "vitest";
import type { Injection } from "../../simulation/scenario.ts";
import { shrink } from "../../simulation/shrink.ts";

const list = (count: number): Injection[] => Array.from({ length: count }, (_, at) => ({ at, kind: "redis-flush" }));
/** Fails while the list has all of these. */
const needs =
  (...wanted: number[]) =>
  async (injections: Injection[]) =>
    wanted.every((at) => injections.some((one) => one.at === at));
const times = (injections: readonly Injection[]) => injections.map((one) => one.at);

test("finds exactly the events that a failure needs, in their order", async () => {
  const shrunk = await shrink(list(60), needs(3, 17, 44), 500);
  expect(times(shrunk.injections)).toEqual([3, 17, 44]);
  expect(shrunk.done).toBe(true);
});

test("finds that nothing is needed when the failure happens anyway", async () => {
  expect((await shrink(list(9), needs(), 500)).injections).toEqual([]);
});

test("stops at its limit with a list that still fails", async () => {
  const fails = needs(3, 17, 44);
  const shrunk = await shrink(list(60), fails, 5);
  expect(shrunk).toMatchObject({ runs: 5, done: false });
  expect(await fails(shrunk.injections)).toBe(true);
});
