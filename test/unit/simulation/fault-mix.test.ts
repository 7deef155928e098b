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

test("contracts end at most half an hour after the faults, before the state at rest is judged", () => {
  const scenarios = SEEDS.map((seed) => faultMix(seed, { hours: 5, pods: 5 }));
  const ends = scenarios.flatMap(({ injections, faultsEndMs }) =>
    injections.flatMap((one) => {
      if (one.kind === "short-offers") return [one.at + one.seconds * 1000 - faultsEndMs];
      if (one.kind !== "instance" || one.event !== "ends-in") return [];
      return [one.at + Number(one.body.seconds) * 1000 - faultsEndMs];
    }),
  );
  expect(Math.max(...ends)).toBeLessThanOrEqual(1_800_000);
  expect(ends.filter((ms) => ms > 0)).not.toEqual([]); // some end while nothing else disturbs
});

test("in some runs the pods have a template file, which is edited at the latest 20 minutes before the faults end", () => {
  const scenarios = SEEDS.map((seed) => faultMix(seed, { hours: 5, pods: 5 }));
  const edits = (one: ReturnType<typeof faultMix>) => one.injections.filter(({ kind }) => kind === "template-file");
  const withFile = scenarios.filter(({ templateFile }) => templateFile);
  expect(withFile.length).toBeGreaterThan(0);
  expect(withFile.length).toBeLessThan(SEEDS.length);
  for (const one of scenarios) expect(edits(one).length > 0).toBe(one.templateFile);
  const late = withFile.flatMap((one) => edits(one).map(({ at }) => at - one.faultsEndMs));
  expect(Math.max(...late)).toBeLessThanOrEqual(-1_200_000);
});

test("in some runs some pods update without a search for another instance", () => {
  const scenarios = SEEDS.map((seed) => faultMix(seed, { hours: 5, pods: 5 }));
  const unchecked = scenarios.filter(({ uncheckedPods }) => uncheckedPods?.length);
  expect(unchecked.length).toBeGreaterThan(0);
  expect(unchecked.length).toBeLessThan(SEEDS.length);
  expect(scenarios.filter(({ env }) => env.VAST_UPDATE_PRECHECK !== undefined)).toEqual([]);
});

test("in most runs with bids no bid wins for a while, and their pods lose what they have: an hour without faults can follow", () => {
  const scenarios = Array.from({ length: 40 }, (_, i) => faultMix(i + 1, { hours: 5, pods: 5 }));
  const shortageOf = ({ injections }: ReturnType<typeof faultMix>) =>
    injections.flatMap((one) => (one.kind === "api-settings" && one.set.lowBid === "no_such_ask" ? [one] : []));
  const short = scenarios.filter((one) => shortageOf(one).length > 0);
  expect(short.length).toBeGreaterThan(0);
  for (const one of short) {
    expect(one.bids?.pods).not.toEqual([]);
    for (const { at, forMs } of shortageOf(one)) {
      expect(at).toBeGreaterThan(one.faultsEndMs - 35 * 60_000);
      expect(at + forMs).toBeLessThanOrEqual(one.faultsEndMs);
    }
  }
  // Some of them fall back to a price on demand and go back by surge.
  const returns = short.filter(({ bids, surgePods }) => {
    return bids?.env.VAST_BID_FALLBACK === "ondemand" && bids.pods.some((pod) => surgePods?.includes(pod));
  });
  expect(returns.length).toBeGreaterThan(0);
});
