// `npm run bench:fleet`: how many pods share one API key and one address, in simulated time, with the store, without it, and beside a
// naive program. Prints a table; asserts nothing. Touches the standard streams and the files that are named.
import { writeFile } from "node:fs/promises";
import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import { naiveProgram } from "../simulation/naive-program.ts";
import { type RunControl, type RunOptions, simulate } from "../simulation/simulation.ts";
import { fleetPhases } from "./fleet-phases.ts";
import { fleetPlot } from "./fleet-plot.ts";
import { type FleetRow, fleetTable } from "./fleet-table.ts";

interface Measured {
  env: Record<string, string>;
  options: RunOptions;
  /** The most pods of so many that it takes down at once in a rollout. */
  mostUnavailable(pods: number): number;
}

// The default of FLEET_MAX_UNAVAILABLE.
const TENTH = (pods: number) => Math.max(Math.floor(pods / 10), 1);
const ALL = (pods: number) => pods;
const REDIS = { BLACKLIST_ENABLED: "true", FLEET_REDIS_URL: "redis://redis.sim:6379/0" };
const PROGRAMS: Readonly<Record<string, Measured>> = {
  store: { env: REDIS, options: {}, mostUnavailable: TENTH },
  alone: { env: {}, options: {}, mostUnavailable: ALL },
  naive: { env: {}, options: { program: naiveProgram }, mostUnavailable: ALL },
};
// With so many pods the probes of those for which all is well are held: nothing else that is measured depends on them.
const MANY_PODS = 50;
const HOLD_PROBES_MS = 15_000;
// The phases end a run; this is only a limit.
const MOST_HOURS = 100;

const flags = await yargs(hideBin(process.argv))
  .scriptName("bench:fleet")
  .strict()
  .options({
    pods: { type: "array", number: true, default: [1, 5, 10, 20], describe: "how many pods: a run for each number" },
    programs: { type: "array", string: true, choices: Object.keys(PROGRAMS), default: Object.keys(PROGRAMS) },
    seed: { type: "number", default: 1 },
    svg: { type: "string", requiresArg: true, describe: "file for a plot" },
    json: { type: "string", requiresArg: true, describe: "file for the numbers" },
  })
  .check(({ pods }) => pods.every((count) => Number.isInteger(count) && count > 0) || "--pods takes numbers of pods.")
  .parse();

const rows: FleetRow[] = [];
for (const pods of flags.pods) {
  for (const program of flags.programs) rows.push(await measure(program, pods));
}
process.stdout.write(`${fleetTable(rows).join("\n")}\n`);
if (flags.svg !== undefined) await writeFile(flags.svg, fleetPlot(rows));
if (flags.json !== undefined) await writeFile(flags.json, `${JSON.stringify(rows, null, 2)}\n`);

async function measure(program: string, pods: number): Promise<FleetRow> {
  const { env = {}, options = {}, mostUnavailable = ALL } = PROGRAMS[program] ?? {};
  const phases = fleetPhases(pods, mostUnavailable(pods));
  let last: RunControl | null = null;
  const look = (run: RunControl) => {
    last = run;
    return phases.look(run);
  };
  const began = performance.now();
  const scenario = { seed: flags.seed, hours: MOST_HOURS, pods, faultsEndMs: MOST_HOURS * 3_600_000, env };
  await simulate(
    { ...scenario, oneAddress: true, emulator: {}, injections: [] },
    { startsAt: () => 0, ...options, ...(pods < MANY_PODS ? {} : { holdProbesMs: HOLD_PROBES_MS }), look },
  );
  if (last === null) throw new Error("the run ended before it began");
  const numbers = phases.numbers(last);
  const seconds = (performance.now() - began) / 1000;
  const podHours = pods * numbers.simulatedHours;
  process.stderr.write(
    `${pods} pods, ${program}: ${numbers.simulatedHours.toFixed(1)} h in ${seconds.toFixed(0)} s, ${(podHours / seconds).toFixed(1)} pod-hours/s\n`,
  );
  return { program, pods, numbers };
}
