// `npm run simulate`: the timeline of one seed, or a summary of many. Touches the standard streams and child processes.
import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import { mayLoseItsReader } from "../../common/terminal.ts";
import { breachLines, broken } from "./breach-report.ts";
import { LAWS } from "./laws/all.ts";
import { moneySentence } from "./laws/money.ts";
import { causeLines, gapLines, goalLines, type MixRuns, moneyLines } from "./money-report.ts";
import { orderLines } from "./order-report.ts";
import { runMany } from "./run-many.ts";
import { MIXES, type Mix, runOne, type Verdict } from "./run-one.ts";
import type { Task } from "./tasks.ts";

// A run of 25 pod-hours takes some seconds; this limits the search for the shortest list to a few minutes.
const SHRINK_RUNS = 60;
const MANY_PODS = 50;
const LEAST_HOURS = 2.5;
// The calm mix tells what an operator pays: a pod starts about once a day there. Where machines differ, the same ones
// come back in the course of a day.
const HOURS: Readonly<Record<Mix, number>> = { hard: 5, calm: 24, quality: 24 };

const flags = await yargs(hideBin(process.argv))
  .scriptName("simulate")
  .strict()
  .options({
    seed: { type: "number", default: 1, describe: "the seed, or the first of many" },
    seeds: { type: "number", describe: "how many seeds to run, on all cores, with a summary" },
    hours: {
      type: "number",
      describe: `simulated hours of each run; by default ${HOURS.hard}, in the calm and the quality mix ${HOURS.calm}`,
    },
    pods: { type: "number", default: 5, describe: "pods of one account" },
    fleet: {
      type: "boolean",
      describe: `all pods share one Redis and one address; so by default from ${MANY_PODS} pods on`,
    },
    mix: {
      choices: [...MIXES, "both"] as const,
      default: "hard" as const,
      describe:
        "hard: faults of every kind, to try the laws; calm: what is common, as often as it is; quality: machines differ",
    },
    oracle: {
      type: "boolean",
      default: false,
      describe: "also run a program that knows everything, and print how much less it wastes",
    },
    told: {
      type: "boolean",
      default: false,
      implies: "oracle",
      describe: "the oracle has to read from the API at which address an instance answers",
    },
    order: { type: "string", default: "dph_total", describe: "quality mix: VAST_SEARCH_ORDER of the pods" },
    against: { type: "string", describe: "quality mix: also run with this order, and print the difference" },
    shrink: { type: "boolean", default: true, describe: "search for the shortest list of faults that breaks a law" },
  })
  .check((given) => {
    if (given.hours === undefined || given.hours >= LEAST_HOURS) return true;
    throw new Error(
      `--hours must be at least ${LEAST_HOURS}: the laws look at the state an hour after the faults, which end after 60 %`,
    );
  })
  .parse();

mayLoseItsReader(process.stdout);
const out = (line: string) => void process.stdout.write(`${line}\n`);
const { pods, oracle, told: readsAddresses, order, against } = flags;
const hoursOf = (mix: Mix) => flags.hours ?? HOURS[mix];
const mixes: readonly Mix[] = flags.mix === "both" ? ["hard", "calm"] : [flags.mix];
const fleet = flags.fleet ?? pods >= MANY_PODS;
const shrinkRuns = flags.shrink ? SHRINK_RUNS : 0;

interface Summary extends MixRuns {
  /** The runs with the other order. */
  against: readonly Verdict[];
}

const runs: Summary[] = [];
for (const mix of mixes) runs.push(flags.seeds === undefined ? await printOne(mix) : await summarise(mix, flags.seeds));
for (const line of goalLines(runs)) out(line);
process.exitCode = runs.some(({ own, against: others }) => [...own, ...others].some(broken)) ? 1 : 0;

async function printOne(mix: Mix): Promise<Summary> {
  const options = { hours: hoursOf(mix), pods, fleet, mix, order, causes: true };
  const verdict = await runOne(flags.seed, { ...options, shrinkRuns, timeline: true });
  for (const line of verdict.timeline) out(line);
  out("");
  for (const law of Object.keys(LAWS)) {
    const breaches = verdict.breaches.filter((breach) => breach.includes(` ${law}: `));
    out(`law ${law}: ${breaches.length === 0 ? "kept" : "BROKEN"}`);
    for (const breach of breaches) out(`  ${breach}`);
  }
  for (const line of verdict.shortest) out(line);
  out(`money: ${moneySentence(verdict.money)}`);
  for (const line of causeLines([verdict])) out(line);
  const known = oracle ? [await runOne(flags.seed, { ...options, oracle, readsAddresses })] : null;
  if (known !== null) for (const line of gapLines([verdict], known)) out(line);
  out(`run: ${verdict.hash}`);
  return { mix, own: [verdict], oracle: known, against: [] };
}

async function summarise(mix: Mix, count: number): Promise<Summary> {
  const hours = hoursOf(mix);
  const podHours = count * hours * pods;
  const tasks = Array.from({ length: count }, (_, i) => {
    return { seed: flags.seed + i, hours, pods, fleet, mix, order, shrinkRuns, causes: true };
  });
  const verdicts = await runAndReport(mix, tasks);
  for (const line of [...moneyLines(`money, ${mix} mix`, verdicts, podHours), ...causeLines(verdicts)]) out(line);
  const oracleTasks = tasks.map((task) => ({ ...task, oracle, readsAddresses }));
  const known = oracle ? await runMany(oracleTasks, () => undefined) : null;
  if (known !== null) for (const line of gapLines(verdicts, known)) out(line);
  if (against === undefined || mix !== "quality") return { mix, own: verdicts, oracle: known, against: [] };
  const otherTasks = tasks.map((task) => ({ ...task, order: against }));
  const others = await runAndReport(mix, otherTasks);
  for (const line of moneyLines(`money with ${against}`, others, podHours)) out(line);
  for (const line of orderLines([order, against], [verdicts, others], hours * pods)) out(line);
  return { mix, own: verdicts, oracle: known, against: others };
}

/** Runs them all, and prints which of them break a law. */
async function runAndReport(mix: Mix, tasks: readonly Task[]): Promise<Verdict[]> {
  const began = performance.now();
  let done = 0;
  const onVerdict = (verdict: Verdict) => {
    done += 1;
    const breaks = broken(verdict) ? `, seed ${verdict.seed} breaks a law` : "";
    if (breaks !== "" || done % 10 === 0) process.stderr.write(`${done} of ${tasks.length}${breaks}\n`);
  };
  const verdicts = await runMany(tasks, onVerdict);
  const seconds = (performance.now() - began) / 1000;
  const podHours = tasks.length * hoursOf(mix) * pods;
  process.stderr.write(`${Math.round(seconds)} s, ${(podHours / seconds).toFixed(1)} pod-hours/s\n`);
  for (const line of breachLines(verdicts, tasks)) out(line);
  return verdicts;
}
