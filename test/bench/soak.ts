// `npm run soak`: one pod of real processes under load and faults for half an hour. Fails if memory, descriptors or the event loops of the
// programs have grown, or if a program has ended. Touches a sandbox, child processes, and the files that are named.
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import { readIfExists } from "../../common/atomic-file.ts";
import { seededRandom } from "../emulator/random.ts";
import build from "../integration/build.ts";
import { openPod } from "../integration/pod.ts";
import { SHUTDOWN_SIGNALS } from "../local/shutdown.ts";
import type { Child } from "../sandbox/child.ts";
import { startNginx } from "../sandbox/nginx.ts";
import { cpuSecondsOf } from "./cpu-time.ts";
import { describeMachine } from "./machine.ts";
import { runSoakFaults, soakFaults } from "./soak-faults.ts";
import { soakPlot } from "./soak-plot.ts";
import { type SoakMeasure, type SoakSample, soakFinding } from "./soak-verdict.ts";

const SAMPLE_MS = 5_000;
const REQUEST_MS = 50;
const REQUEST_TIMEOUT_MS = 5_000;
const PAGE_BYTES = 4096;
const MEASURES: readonly SoakMeasure[] = ["memoryMb", "descriptors", "loopDelayMs"];
// Many times the default limits: each fault may cost an instance.
const LIMITS = { VAST_MAX_CREATES_PER_HOUR: "500" };

const flags = await yargs(hideBin(process.argv))
  .scriptName("soak")
  .strict()
  .options({
    minutes: { type: "number", default: 30, describe: "how long" },
    seed: { type: "number", default: 1, describe: "which faults, and in which order" },
    svg: { type: "string", requiresArg: true, describe: "file for a plot" },
    json: { type: "string", requiresArg: true, describe: "file for all samples" },
  })
  .parse();

// Sandboxes are cleaned up when this process exits, but not when a signal kills it.
for (const signal of SHUTDOWN_SIGNALS) process.once(signal, () => process.exit(130));

interface Watched {
  name: string;
  child: Child;
  delayFile: string | null;
  samples: SoakSample[];
}

build();
const machine = describeMachine();
const pod = await openPod({ emulatorApart: true, redis: true, timeScale: 1, bootSeconds: 3, env: LIMITS });
const out = (line: string) => void process.stdout.write(`${line}\n`);
let isFlat = true;
try {
  const nginx = await startNginx(pod.sandbox);
  const delayFile = (name: string) => join(pod.sandbox.folder, `${name}.delay`);
  const measured = (name: string) => ({
    NODE_OPTIONS: "--import ./test/bench/loop-delay.mjs",
    VAST_POD_TEST_LOOP_DELAY: delayFile(name),
  });
  const ours = (name: string, child: Child): Watched => ({ name, child, delayFile: delayFile(name), samples: [] });
  const watched: Watched[] = [
    ours("provisioner", await pod.provision(measured("provisioner"))),
    ours("reloader", await pod.reload(measured("reloader"))),
    { name: "nginx", child: nginx.master, delayFile: null, samples: [] },
  ];
  await pod.ready(60_000);

  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  const over = AbortSignal.timeout(flags.minutes * 60_000);
  const faultsAt: number[] = [];
  const faults = runSoakFaults(
    soakFaults(pod, nginx),
    seededRandom(flags.seed, "soak"),
    (what) => {
      faultsAt.push(seconds());
      out(`${seconds().toFixed(0).padStart(6)} s  ${what}`);
    },
    over,
  );
  const answers = requests(pod.proxyUrl, over);
  while (!over.aborted) {
    await delay(SAMPLE_MS, undefined, { signal: over }).catch(() => undefined);
    for (const one of watched) {
      const exit = one.child.exit();
      if (exit !== null) throw new Error(`${one.name} has ended: ${JSON.stringify(exit)}`);
      one.samples.push(await sample(one, seconds()));
    }
  }
  await faults;

  const { cpu, cores, node } = machine;
  out("");
  out(`${new Date().toISOString()}, ${cores} x ${cpu}, node ${node}: ${flags.minutes} min, ${faultsAt.length} faults`);
  const counts = [...(await answers)].map(([answer, count]) => `${answer}: ${count.toLocaleString("en-US")}`);
  out(`requests through nginx: ${counts.join(", ")}`);
  for (const { name, samples } of watched) {
    const cpuSeconds = (samples.at(-1)?.cpuSeconds ?? 0) - (samples[0]?.cpuSeconds ?? 0);
    out(`${name}: ${((cpuSeconds / seconds()) * 3600).toFixed(0)} s of CPU time an hour`);
    for (const measure of MEASURES) {
      const finding = soakFinding(samples, measure);
      if (finding === null) continue;
      isFlat &&= finding.isFlat;
      const { early, late } = finding;
      out(`  ${measure}: ${early.toFixed(1)} -> ${late.toFixed(1)} ${finding.isFlat ? "flat" : "HAS GROWN"}`);
    }
  }
  const plotted = new Map(watched.map(({ name, samples }) => [name, samples]));
  if (flags.svg !== undefined) await writeFile(flags.svg, soakPlot(plotted, faultsAt));
  if (flags.json !== undefined)
    await writeFile(flags.json, `${JSON.stringify({ machine, faultsAt, programs: Object.fromEntries(plotted) })}\n`);
} finally {
  await pod.close();
}
process.exit(isFlat ? 0 : 1);

/** One request after the other until `signal`; how many had which answer. */
async function requests(url: string, signal: AbortSignal): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  while (!signal.aborted) {
    const answer = await fetch(url, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) })
      .then(async (response) => {
        await response.arrayBuffer();
        return String(response.status);
      })
      .catch((error: unknown) => (error instanceof Error ? error.name : "error"));
    counts.set(answer, (counts.get(answer) ?? 0) + 1);
    await delay(REQUEST_MS);
  }
  return counts;
}

async function sample({ child, delayFile }: Watched, at: number): Promise<SoakSample> {
  const delays = delayFile === null ? null : await readIfExists(delayFile);
  const pages = Number(readFileSync(`/proc/${child.pid}/statm`, "utf8").split(" ")[1]);
  return {
    at,
    memoryMb: (pages * PAGE_BYTES) / 1024 / 1024,
    descriptors: readdirSync(`/proc/${child.pid}/fd`).length,
    loopDelayMs: delays === null ? null : Number(delays.trimEnd().split("\n").at(-1)),
    cpuSeconds: cpuSecondsOf(child.pid),
  };
}
