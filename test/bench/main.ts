// `npm run bench`: measures ratios side by side in one run, prints them as one table and writes them as JSON. It asserts
// nothing. Touches sandboxes, child processes, that file, and ~/.cache/vast-pod for a newer nginx.
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import build from "../integration/build.ts";
import { SHUTDOWN_SIGNALS } from "../local/shutdown.ts";
import { firstByte } from "./first-byte.ts";
import { footprint } from "./footprint.ts";
import { idleCpu } from "./idle-cpu.ts";
import { describeMachine } from "./machine.ts";
import { proxyCpu } from "./proxy-cpu.ts";
import { realUpdates } from "./real-updates.ts";
import { reloadLoss } from "./reload-loss.ts";
import { reloadTime } from "./reload-time.ts";
import { type ResultLine, ratioOf, verdictOf } from "./result-line.ts";
import { serving } from "./serving.ts";
import { formatTable } from "./table.ts";

const ROWS: Readonly<Record<string, () => Promise<ResultLine[]>>> = {
  "proxy-cpu": proxyCpu,
  "first-byte": firstByte,
  "reload-time": reloadTime,
  "reload-loss": reloadLoss,
  footprint,
  "idle-cpu": idleCpu,
  serving,
  updates: realUpdates,
  // The last one, and loaded only then: the programs' HTTP client takes `fetch` away, which the other rows use.
  "api-usage": async () => (await import("./api-usage.ts")).apiUsage(),
};

const flags = await yargs(hideBin(process.argv))
  .scriptName("bench")
  .strict()
  .options({
    only: { type: "array", string: true, choices: Object.keys(ROWS), describe: "measure only these" },
    json: {
      type: "string",
      requiresArg: true,
      describe: "file for the numbers [default: a new file in the temporary folder]",
    },
  })
  .parse();

// Sandboxes are cleaned up when this process exits, but not when a signal kills it.
for (const signal of SHUTDOWN_SIGNALS) process.once(signal, () => process.exit(130));

const startedAt = new Date();
const machine = describeMachine();
const chosen = Object.entries(ROWS).filter(([name]) => flags.only?.includes(name) ?? true);
build();
const lines: (ResultLine & { row: string })[] = [];
for (const [row, measure] of chosen) {
  const began = performance.now();
  process.stderr.write(`${row} ... `);
  try {
    lines.push(...(await measure()).map((line) => ({ row, ...line })));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    lines.push({ row, what: row, notMeasured: "it failed: see the error above" });
    process.exitCode = 1; // the other rows are still useful
  }
  process.stderr.write(`${Math.round((performance.now() - began) / 1000)} s\n`);
}

const { cpu, cores, nginx, node, loadBefore } = machine;
const out = (line: string) => void process.stdout.write(`${line}\n`);
out(`${startedAt.toISOString()}, ${cores} x ${cpu}, load ${loadBefore.toFixed(2)}, nginx ${nginx}, node ${node}`);
out("");
for (const line of formatTable(lines)) out(line);

const file = flags.json ?? join(tmpdir(), `vast-pod-bench-${startedAt.toISOString().replaceAll(":", "")}.json`);
const judged = lines.map((line) =>
  "notMeasured" in line ? line : { ...line, ratio: ratioOf(line), verdict: verdictOf(line) },
);
await writeFile(file, `${JSON.stringify({ date: startedAt.toISOString(), machine, lines: judged }, null, 2)}\n`);
out("");
out(`written to ${file}`);
process.exit();
