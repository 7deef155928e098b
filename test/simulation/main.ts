// `npm run simulate`: the timeline of one seed, or a summary of many. Touches the standard streams and child processes.
import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import { LAWS } from "./laws/all.ts";
import { moneySentence } from "./laws/money.ts";
import { causeLines, gapLines, goalLines, type MixRuns, moneyLines } from "./money-report.ts";
import { orderLines } from "./order-report.ts";
import { runMany } from "./run-many.ts";
import { MIXES, type Mix, runOne, type Verdict } from "./run-one.ts";

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

const out = (line: string) => void process.stdout.write(`${line}\n`);
const { pods, oracle, order, against } = flags;
const hoursOf = (mix: Mix) => flags.hours ?? HOURS[mix];
const mixes: readonly Mix[] = flags.mix === "both" ? ["hard", "calm"] : [flags.mix];
const fleet = flags.fleet ?? pods >= MANY_PODS;
const shrinkRuns = flags.shrink ? SHRINK_RUNS : 0;

const runs: MixRuns[] = [];
for (const mix of mixes) runs.push(flags.seeds === undefined ? await printOne(mix) : await summarise(mix, flags.seeds));
for (const line of goalLines(runs)) out(line);
process.exitCode = runs.some(({ own }) => own.some(({ breaches }) => breaches.length > 0)) ? 1 : 0;

async function printOne(mix: Mix): Promise<MixRuns> {
  const options = { hours: hoursOf(mix), pods, fleet, mix, order, causes: true };
  const verdict = await runOne(flags.seed, { ...options, shrinkRuns, timeline: true });
  for (const line of verdict.timeline) out(line);
  out("");
  for (const law of Object.keys(LAWS)) {
    const broken = verdict.breaches.filter((breach) => breach.includes(` ${law}: `));
    out(`law ${law}: ${broken.length === 0 ? "kept" : "BROKEN"}`);
    for (const breach of broken) out(`  ${breach}`);
  }
  for (const line of verdict.shortest) out(line);
  out(`money: ${moneySentence(verdict.money)}`);
  for (const line of causeLines([verdict])) out(line);
  const known = oracle ? [await runOne(flags.seed, { ...options, oracle })] : null;
  if (known !== null) for (const line of gapLines([verdict], known)) out(line);
  out(`run: ${verdict.hash}`);
  return { mix, own: [verdict], oracle: known };
}

async function summarise(mix: Mix, count: number): Promise<MixRuns> {
  const hours = hoursOf(mix);
  const tasks = Array.from({ length: count }, (_, i) => {
    return { seed: flags.seed + i, hours, pods, fleet, mix, order, shrinkRuns, causes: true };
  });
  const began = performance.now();
  let done = 0;
  const onVerdict = (verdict: Verdict) => {
    done += 1;
    const broken = verdict.breaches.length === 0 ? "" : `, seed ${verdict.seed} breaks a law`;
    if (broken !== "" || done % 10 === 0) process.stderr.write(`${done} of ${count}${broken}\n`);
  };
  const verdicts = await runMany(tasks, onVerdict);
  const failing = verdicts.filter((verdict) => verdict.breaches.length > 0);
  for (const verdict of failing) {
    out(`seed ${verdict.seed} breaks:`);
    for (const line of [...verdict.breaches, ...verdict.shortest]) out(`  ${line}`);
    const how = `--hours ${hours} --pods ${pods}${mix === "hard" ? "" : ` --mix ${mix}`}`;
    out(`  full timeline: npm run simulate -- --seed ${verdict.seed} ${how}`);
  }
  const seconds = (performance.now() - began) / 1000;
  process.stderr.write(`${Math.round(seconds)} s, ${((count * hours * pods) / seconds).toFixed(1)} pod-hours/s\n`);
  out(`${count} seeds, ${count * hours * pods} pod-hours, ${failing.length} seeds break a law`);
  if (failing.length > 0) out(`failing seeds: ${failing.map((verdict) => verdict.seed).join(", ")}`);
  for (const line of [...moneyLines(`money, ${mix} mix`, verdicts, count * hours * pods), ...causeLines(verdicts)])
    out(line);
  const oracleTasks = tasks.map((task) => ({ ...task, oracle }));
  const known = oracle ? await runMany(oracleTasks, () => undefined) : null;
  if (known !== null) for (const line of gapLines(verdicts, known)) out(line);
  if (against !== undefined && mix === "quality") {
    const others = await runMany(
      tasks.map((task) => ({ ...task, order: against })),
      () => undefined,
    );
    for (const line of moneyLines(`money with ${against}`, others, count * hours * pods)) out(line);
    for (const line of orderLines([order, against], [verdicts, others], hours * pods)) out(line);
  }
  return { mix, own: verdicts, oracle: known };
}
