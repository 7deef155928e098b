import { expect, test } from "vitest";
import { seededMachine } from "../emulator/market/machine.ts";
import { seededRandom } from "../emulator/random.ts";
import { gradeMachines } from "./qualities.ts";
import { qualityMix } from "./quality-mix.ts";
import { runOne } from "./run-one.ts";
import { simulate } from "./simulation.ts";

const MACHINES = 400;
const random = seededRandom(1, "machines");
const machines = Array.from({ length: MACHINES }, (_, i) => seededMachine(random, i, MACHINES / 5, 0));
const priceBefore = new Map(machines.map(({ id, dph }) => [id, dph]));
const qualities = [...gradeMachines(machines, seededRandom(1, "qualities"))];
const lifeOf = (id: number) => qualities.find(([one]) => one === id)?.[1].lifeHours ?? 0;
const half = (part: "first" | "second", by: (id: number) => number) => {
  const sorted = machines.map(({ id }) => id).sort((a, b) => by(a) - by(b));
  return part === "first" ? sorted.slice(0, MACHINES / 2) : sorted.slice(MACHINES / 2);
};
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

test("the machines of one host are more alike than those of different hosts", () => {
  const logs = machines.map(({ hostId, id }) => ({ hostId, log: Math.log(lifeOf(id)) }));
  const spread = (values: readonly number[]) => mean(values.map((value) => (value - mean(values)) ** 2));
  const hosts = [...new Set(logs.map(({ hostId }) => hostId))].map((host) =>
    logs.filter(({ hostId }) => hostId === host).map(({ log }) => log),
  );
  const within = mean(hosts.filter(({ length }) => length > 2).map(spread));
  expect(within).toBeLessThan(spread(logs.map(({ log }) => log)) / 2);
});

test("better machines cost more, but by less than what prices differ anyway", () => {
  const raised = ({ id, dph }: (typeof machines)[number]) => dph / (priceBefore.get(id) ?? 1);
  const of = (ids: readonly number[]) => mean(machines.filter(({ id }) => ids.includes(id)).map(raised));
  const [worse, better] = [of(half("first", lifeOf)), of(half("second", lifeOf))];
  expect(better).toBeGreaterThan(worse);
  expect(better / worse).toBeLessThan(1.25);
});

test("of the instances on the worse half of the machines fewer come up, and those that do live shorter", () => {
  const worse = new Set(half("first", lifeOf));
  const boot = (isWorse: boolean) =>
    mean(qualities.filter(([id]) => worse.has(id) === isWorse).map(([, { bootChance }]) => bootChance));
  expect(boot(true)).toBeLessThan(0.85);
  expect(boot(false)).toBeGreaterThan(0.9);
});

test("instances end by themselves where machines differ, and no law is broken", { timeout: 300_000 }, async () => {
  const size = { hours: 3.2, pods: 2, fleet: false };
  const { breaches } = await runOne(1, { ...size, mix: "quality" });
  expect(breaches).toEqual([]);
  const endless = { ...qualityMix(1, size), injections: [] };
  const [differ, alike] = [await simulate(endless), await simulate({ ...endless, qualities: false })];
  expect(alike.truth.contracts.filter(({ endedAt }) => endedAt !== null)).toEqual([]);
  expect(differ.truth.contracts.filter(({ endedAt }) => endedAt !== null).length).toBeGreaterThan(0);
});
