// What a summary says about money: its causes add up to what was charged, to put them down changes nothing, and the oracle is a bound.
import { expect, test } from "vitest";
import { calmMix } from "./calm-mix.ts";
import { faultMix } from "./fault-mix.ts";
import { judge } from "./laws/all.ts";
import { moneyOf } from "./laws/money.ts";
import type { Program } from "./pod.ts";
import { runOne } from "./run-one.ts";
import type { Injection, Scenario } from "./scenario.ts";
import { instanceEvent, MINUTE_MS, scenarioWith } from "./scenario-with.ts";
import { simulate } from "./simulation.ts";
import { TYPO_IMAGE } from "./typo-images.ts";

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

test("an instance is charged until the end of the run, also while no program calls the API", async () => {
  const program: Program = async (_settings, { clock }, stop) => {
    await clock.sleep(Number.POSITIVE_INFINITY, stop);
    return true;
  };
  const paidIn = async (hours: number) => {
    const scenario: Scenario = { ...calmMix(1, { hours, pods: 1 }), injections: [{ kind: "twin", at: 0, pod: 0 }] };
    const { truth, causes } = await simulate(scenario, { program, causes: true });
    const { paid } = moneyOf(truth);
    expect(causes.reduce((sum, { waste }) => sum + waste, 0)).toBeCloseTo(paid, 6);
    return paid;
  };
  const [short, long] = [await paidIn(2.5), await paidIn(5)];
  expect(short).toBeGreaterThan(0.1);
  expect(long / short).toBeCloseTo(2, 6);
});

test.each([
  { program: "the provisioner", oracle: false },
  { program: "the oracle", oracle: true },
])(
  "an instance to which nothing comes through serves nobody, whatever nginx routes to: $program",
  async ({ oracle }) => {
    const forMs = 4 * MINUTE_MS;
    const at = 20 * MINUTE_MS;
    const cut: Injection = { kind: "network", at, forMs, to: "instances", code: "ETIMEDOUT", pod: 0 };
    const { truth, causes } = await simulate(scenarioWith([cut]), { oracle, causes: true });
    expect(truth.pods[0]?.cutOff).toEqual([{ from: truth.start + at, to: truth.start + at + forMs }]);
    const { paid, boot, waste } = moneyOf(truth);
    const dollarsPerMs = paid / (truth.end - truth.start);
    const meanwhile = causes
      .filter(({ cause }) => cause.endsWith("| network"))
      .reduce((sum, one) => sum + one.waste, 0);
    expect(meanwhile / (forMs * dollarsPerMs)).toBeCloseTo(1, 1);
    const sum = causes.reduce((total, one) => total + one.boot + one.waste, 0);
    expect(sum * FACTOR).toBeCloseTo((boot + waste) * FACTOR, 0);
  },
);

test("an oracle that has to read addresses serves an instance only once a list has shown where it answers", async () => {
  const at = MINUTE_MS / 2; // before the container runs
  const forMs = 10 * MINUTE_MS;
  const trouble: Injection = { kind: "account", at, forMs, set: { twoFactor: true }, back: { twoFactor: false } };
  const servedAfter = async (injections: Injection[], readsAddresses: boolean) => {
    const { truth } = await simulate(scenarioWith(injections), { oracle: true, readsAddresses });
    return ((truth.pods[0]?.serving[0]?.from ?? 0) - truth.start) / MINUTE_MS;
  };
  const [free, told] = [await servedAfter([], true), await servedAfter([trouble], true)];
  expect(await servedAfter([trouble], false)).toBeCloseTo(free, 0);
  expect(free).toBeLessThan(5);
  expect(told).toBeGreaterThan(10.5);
  expect(told).toBeLessThan(11);
});

test("where nothing fails, the oracle pays for a served hour what the provisioner pays", async () => {
  const scenario: Scenario = { ...calmMix(1, { hours: 2.5, pods: 2 }), injections: [] };
  const perServedMs = async (oracle: boolean) => {
    const { truth } = await simulate(scenario, { oracle });
    const served = truth.pods.flatMap(({ serving }) => serving).reduce((sum, { from, to }) => sum + to - from, 0);
    return moneyOf(truth).paid / served;
  };
  expect((await perServedMs(true)) / (await perServedMs(false))).toBeCloseTo(1, 1);
});

test("the oracle does not wait for an instance that was stopped when the credit was used up", async () => {
  const trouble: Injection = {
    kind: "account",
    at: 600_000,
    forMs: 300_000,
    set: { credit: 0 },
    back: { credit: 10_000 },
  };
  const { truth } = await simulate(scenarioWith([trouble]), { oracle: true });
  const [before, after] = truth.pods[0]?.serving ?? [];
  expect(after?.id).not.toBe(before?.id);
  expect((after?.from ?? 0) - truth.start).toBeLessThan(20 * 60_000);
  expect(truth.contracts.find(({ id }) => id === before?.id)?.endedAt).toBeLessThan(truth.start + 11 * 60_000);
});

test("the oracle pays for nothing that cannot be pulled: what serves is kept until the typo is corrected", async () => {
  const image = (atMinute: number, name: string): Injection => {
    return { kind: "image", at: atMinute * MINUTE_MS, image: name, losesDisk: false };
  };
  const injections = [image(10, TYPO_IMAGE), instanceEvent(20, "kill"), image(30, "example/app:corrected")];
  const scenario = scenarioWith(injections, {
    emulator: { images: { [TYPO_IMAGE]: { failure: "manifest unknown" } } },
  });
  const { truth } = await simulate(scenario, { oracle: true });
  const minutes = (at: number) => Math.round((at - truth.start) / MINUTE_MS);
  expect(truth.creates.map(({ at }) => minutes(at))).toEqual([0, 30]);
  expect(minutes(truth.pods[0]?.serving[0]?.to ?? 0)).toBe(20);
  expect(truth.pods[0]?.serving.at(-1)?.to).toBe(truth.end);
});

// A few runs say little: the instances' luck differs. What is paid for nobody is compared as a share, because who serves more pays more.
test("the oracle serves more, and over some runs pays a smaller share for nobody; the same seed gives the same run", async () => {
  const paid = { provisioner: 0, oracle: 0 };
  const wasted = { provisioner: 0, oracle: 0 };
  const served = { provisioner: 0, oracle: 0 };
  for (let seed = 1; seed <= 12; seed += 1) {
    const { money, servedShare } = await runOne(seed, SIZE);
    const oracle = await runOne(seed, { ...SIZE, oracle: true });
    expect(oracle.servedShare).toBeGreaterThan(0.5);
    served.provisioner += servedShare;
    served.oracle += oracle.servedShare;
    paid.provisioner += money.paid;
    paid.oracle += oracle.money.paid;
    wasted.provisioner += money.boot + money.waste;
    wasted.oracle += oracle.money.boot + oracle.money.waste;
    if (seed === 1) expect((await runOne(seed, { ...SIZE, oracle: true })).hash).toBe(oracle.hash);
  }
  expect(wasted.oracle / paid.oracle).toBeLessThan(wasted.provisioner / paid.provisioner);
  expect(served.oracle).toBeGreaterThan(served.provisioner);
});
