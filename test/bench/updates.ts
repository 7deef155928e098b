// `npm run bench:updates`: what a change of the image costs with each update strategy, in simulated time: seconds without service, and
// dollars for instances that serve nobody. Prints a table; asserts nothing. Touches the standard streams.
import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import { calmMix } from "../simulation/calm-mix.ts";
import type { Scenario } from "../simulation/scenario.ts";
import { simulate } from "../simulation/simulation.ts";
import { NEW_IMAGE, type UpdateNumbers, watchUpdate } from "./update-run.ts";
import { type UpdateRow, updateTable } from "./update-table.ts";

// The emulator downloads a new image whole. On the machine that runs the old one most layers are there already: the same with so much to
// download.
const NEW_LAYERS_GB = 0.5;
const WITH_LAYERS = `in-place, ${NEW_LAYERS_GB} GB new`;

const STRATEGIES: Readonly<Record<string, Partial<Scenario>>> = {
  recreate: {},
  "in-place": { inPlacePods: [0] },
  [WITH_LAYERS]: { inPlacePods: [0], emulator: { images: { [NEW_IMAGE]: { sizeGb: NEW_LAYERS_GB } } } },
  surge: { surgePods: [0] },
};
// An update that is not over by then is counted as such.
const HOURS = 6;
// The probes of a pod for which all is well cost most of the time of a run.
const HOLD_PROBES_MS = 15_000;

const flags = await yargs(hideBin(process.argv))
  .scriptName("bench:updates")
  .strict()
  .options({
    seed: { type: "number", default: 1, describe: "the first seed" },
    seeds: { type: "number", default: 200, describe: "how many: an update with each strategy for each" },
  })
  .parse();

const rows: UpdateRow[] = [];
for (const [strategy, scenario] of Object.entries(STRATEGIES)) {
  const updates: (UpdateNumbers | null)[] = [];
  for (let i = 0; i < flags.seeds; i += 1) updates.push(await updateOnce(flags.seed + i, scenario));
  rows.push({ strategy, updates });
  process.stderr.write(`${updateTable(rows).at(-1)}\n`);
}
process.stdout.write(`${updateTable(rows).join("\n")}\n`);

/** The machines, boots, prices and lags of the calm mix; downloads are billed, and nothing else happens than the update. */
async function updateOnce(seed: number, strategy: Partial<Scenario>): Promise<UpdateNumbers | null> {
  const calm = calmMix(seed, { hours: HOURS, pods: 1 });
  const scenario = {
    ...calm,
    ...strategy,
    emulator: { ...calm.emulator, billDownloads: true, ...strategy.emulator },
    injections: calm.injections.filter(({ kind }) => kind === "bad-hosts"),
  };
  const watch = watchUpdate();
  await simulate(scenario, { look: watch.look, holdProbesMs: HOLD_PROBES_MS });
  return watch.numbers();
}
