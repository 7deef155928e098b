import { expect, test } from "vitest";
import { faultMix } from "../../simulation/fault-mix.ts";

const SIZE = { hours: 1, pods: 2 };
const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1);

test("all pods of a fleet share one address and a Redis", () => {
  const shares = ({ oneAddress, env }: ReturnType<typeof faultMix>) => oneAddress && env.BLACKLIST_ENABLED === "true";
  const alone = SEEDS.filter((seed) => !shares(faultMix(seed, SIZE)));
  expect(alone.length).toBeGreaterThan(0);
  expect(alone.filter((seed) => !shares(faultMix(seed, { ...SIZE, fleet: true })))).toEqual([]);
});

test("a seed whose pods share both anyway has the same faults as a fleet", () => {
  const shared = SEEDS.map((seed) => faultMix(seed, SIZE)).filter(
    ({ oneAddress, env }) => oneAddress && env.BLACKLIST_ENABLED === "true",
  );
  expect(shared.length).toBeGreaterThan(0);
  for (const scenario of shared) expect(faultMix(scenario.seed, { ...SIZE, fleet: true })).toEqual(scenario);
});
