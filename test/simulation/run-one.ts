// Runs one seed, from scenario to verdict. Touches nothing outside.

import { calmMix } from "./calm-mix.ts";
import type { Breach, Truth } from "./emulator-truth.ts";
import { type FaultMixOptions, faultMix } from "./fault-mix.ts";
import { HOLD_PROBES_MS } from "./held-probes.ts";
import { judge } from "./laws/all.ts";
import { type Money, moneyOf } from "./laws/money.ts";
import { withoutAll } from "./laws/two-instances.ts";
import { type QualityMixOptions, qualityMix } from "./quality-mix.ts";
import { describeInjection, type Injection, type Scenario } from "./scenario.ts";
import { shrink } from "./shrink.ts";
import { type RunOptions, simulate, stamp } from "./simulation.ts";
import type { Cause } from "./spending.ts";

export interface Verdict {
  seed: number;
  hash: string;
  /** Sentences with their time, in order. */
  breaches: string[];
  money: Money;
  /** The part of all pods' time in which requests were answered. */
  servedShare: number;
  /** Why money served nobody. */
  causes: Cause[];
  timeline: string[];
  /** The shortest list of faults that breaks the first broken law, if requested. */
  shortest: string[];
}

/** The hard mix tries the laws; the calm one has what is common, as often as it is; in the last one machines differ. */
export const MIXES = ["hard", "calm", "quality"] as const;
export type Mix = (typeof MIXES)[number];

export interface RunOneOptions extends FaultMixOptions, QualityMixOptions, RunOptions {
  mix?: Mix;
  /** The most runs to spend on the shortest list for a broken law; 0 means none. */
  shrinkRuns?: number;
}

const SCENARIOS: Readonly<Record<Mix, (seed: number, options: FaultMixOptions & QualityMixOptions) => Scenario>> = {
  hard: faultMix,
  calm: calmMix,
  quality: qualityMix,
};

/** Runs the mixed scenario of a seed and judges it. */
export async function runOne(seed: number, options: RunOneOptions): Promise<Verdict> {
  const scenario = SCENARIOS[options.mix ?? "hard"](seed, options);
  const runOptions = options.fleet === true ? { holdProbesMs: HOLD_PROBES_MS, ...options } : options;
  const { truth, timeline, hash, causes } = await simulate(scenario, runOptions);
  const breaches = options.oracle ? [] : judge(truth);
  const [first] = breaches;
  const runs = options.shrinkRuns ?? 0;
  return {
    seed,
    hash,
    breaches: breaches.map((breach) => formatBreach(breach, truth.start)),
    money: moneyOf(truth),
    servedShare: servedShare(truth),
    causes,
    timeline: timeline,
    shortest: first === undefined || runs === 0 ? [] : await shortestFor(first, scenario, runOptions, runs),
  };
}

function servedShare({ pods, start, end }: Truth): number {
  const spans = pods.flatMap(({ serving, cutOff }) => serving.flatMap((span) => withoutAll([span], cutOff)));
  const ms = spans.reduce((sum, { from, to }) => sum + to - from, 0);
  return ms / (pods.length * (end - start));
}

async function shortestFor(
  breach: Breach,
  scenario: Scenario,
  options: RunOptions,
  mostRuns: number,
): Promise<string[]> {
  const fails = async (injections: Injection[]) => {
    const { truth } = await simulate({ ...scenario, injections }, { ...options, timeline: false });
    return judge(truth).some((other) => other.law === breach.law);
  };
  const { injections, runs, done } = await shrink(scenario.injections, fails, mostRuns);
  const title = `${breach.law} still fails with ${injections.length} of ${scenario.injections.length} events (${runs} runs${done ? "" : ", not yet the shortest"}):`;
  return [title, ...injections.map((one) => `${stamp(one.at)} ${describeInjection(one)}`)];
}

function formatBreach({ law, at, message }: Breach, start: number): string {
  return `${stamp(at - start)} ${law}: ${message}`;
}
