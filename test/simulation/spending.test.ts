// What a summary says about money: its causes add up to what was charged, to put them down changes nothing, and the oracle is a bound.
import { expect, test } from "vitest";
import { calmMix } from "./calm-mix.ts";
import { faultMix } from "./fault-mix.ts";
import { judge } from "./laws/all.ts";
import { moneyOf } from "./laws/money.ts";
import { runOne } from "./run-one.ts";
import { simulate } from "./simulation.ts";

const SIZE = { hours: 2.5, pods: 2 };
const FACTOR = 1e6; // $ to millionths

test("the causes add up to the boot time and the waste of the run, which they do not change", async () => {
  const withCauses = await simulate(faultMix(2, SIZE), { causes: true });
  const { boot, waste } = moneyOf(withCauses.truth);
  const sum = (part: "boot" | "waste") => withCauses.causes.reduce((total, one) => total + one[part], 0);
  expect(waste).toBeGreaterThan(0);
  expect(Math.round(sum("boot") * FACTOR)).toBe(Math.round(boot * FACTOR));
  expect(Math.round(sum("waste") * FACTOR)).toBe(Math.round(waste * FACTOR));
  const without = await simulate(faultMix(2, SIZE));
  expect(without.hash).toBe(withCauses.hash);
  expect(without.causes).toEqual([]);
});

test("a cause names what the instance did, the plan's reason and what held the pod back", async () => {
  const { causes } = await simulate(calmMix(1, { hours: 2.5, pods: 1 }), { causes: true });
  expect(causes.map(({ cause }) => cause)).toContain("app starts | instance_starting | nothing");
  for (const { cause } of causes) expect(cause).toMatch(/^[a-z ,]+ \| [a-z_ ]+ \| [A-Za-z +]+$/);
});

test("the calm mix breaks no law, and wastes little", async () => {
  const { truth } = await simulate(calmMix(3, { hours: 6, pods: 2 }));
  expect(judge(truth)).toEqual([]);
  const { paid, boot, waste } = moneyOf(truth);
  expect((boot + waste) / paid).toBeLessThan(0.02);
});

test("the oracle serves, and pays less for nobody; the same seed gives the same run", async () => {
  const provisioner = await runOne(5, SIZE);
  const oracle = await runOne(5, { ...SIZE, oracle: true });
  const wasted = ({ money }: typeof oracle) => (money.boot + money.waste) / money.paid;
  expect(oracle.servedShare).toBeGreaterThan(0.5);
  expect(wasted(oracle)).toBeLessThan(wasted(provisioner));
  expect((await runOne(5, { ...SIZE, oracle: true })).hash).toBe(oracle.hash);
});
