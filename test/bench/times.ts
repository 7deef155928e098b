// `npm run test:times`: runs the tests and lists the files and tests that take longest, or lists those of a report that exists. Touches a
// temporary folder and starts vitest.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import { mayLoseItsReader } from "../../common/terminal.ts";
import { type TestReport, timesTable } from "./test-times.ts";

const flags = await yargs(hideBin(process.argv))
  .scriptName("test:times")
  .strict()
  .options({
    project: {
      type: "array",
      string: true,
      default: ["unit", "integration", "simulation", "scenarios", "seeds"],
      describe: "which",
    },
    count: { type: "number", default: 25, describe: "how many files, and how many tests" },
    report: { type: "string", requiresArg: true, describe: "a report of vitest in JSON, instead of running the tests" },
  })
  .parse();

const folder = mkdtempSync(join(tmpdir(), "vast-pod-times-"));
try {
  const file = flags.report ?? join(folder, "report.json");
  const projects = flags.project.flatMap((name) => ["--project", name]);
  const reporters = ["--reporter=dot", "--reporter=json", `--outputFile.json=${file}`];
  const vitest = ["node_modules/vitest/vitest.mjs", "run", ...projects, ...reporters];
  if (flags.report === undefined)
    process.exitCode = spawnSync(process.execPath, vitest, { stdio: "inherit" }).status ?? 1;
  mayLoseItsReader(process.stdout);
  const report = JSON.parse(readFileSync(file, "utf8")) as TestReport;
  for (const line of timesTable(report, flags.count, (path) => relative(process.cwd(), path)))
    process.stdout.write(`${line}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
