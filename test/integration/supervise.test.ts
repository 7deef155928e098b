// The images' entry point, with small Node programs in place of ours.
import { chmod, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isRunning } from "../sandbox/process-table.ts";
import { openSandbox, ROOT, type Sandbox } from "../sandbox/sandbox.ts";
import { until } from "../sandbox/until.ts";

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await openSandbox();
});
afterEach(() => sandbox.close());

/** Starts the entry point with a program that writes its process id to `starts` and then does what `code` says. */
async function supervise(code: string, args: readonly string[] = ["run"], path: readonly string[] = []) {
  const [program, starts] = [join(sandbox.folder, "program.cjs"), join(sandbox.folder, "starts")];
  await writeFile(starts, "");
  await writeFile(
    program,
    `require("node:fs").appendFileSync(${JSON.stringify(starts)}, process.pid + "\\n");\n${code}`,
  );
  const child = await sandbox.start({
    name: "supervise.sh",
    program: join(ROOT, "deploy/supervise.sh"),
    args: [program, ...args],
    env: { PATH: [...path, process.env.PATH ?? ""].join(delimiter) },
  });
  const pids = async () => (await readFile(starts, "utf8")).split("\n").filter(Boolean).map(Number);
  const started = (times: number) => until(`it was started ${times} times`, async () => (await pids())[times - 1]);
  return { child, pids, started };
}

const RUNS = `setInterval(() => undefined, 1000); process.on("SIGTERM", () => process.exit(7));`;

test("a killed program is started again at once, and the entry point goes on", async () => {
  const { child, started } = await supervise(RUNS);
  const first = await started(1);
  process.kill(first, "SIGKILL");
  const second = await started(2);
  expect(second).not.toBe(first);
  expect(child.exit()).toBeNull();
});

test("SIGTERM reaches the program, and its exit code is the entry point's", async () => {
  const { child, started } = await supervise(RUNS, ["--vast-policy", "observe"]);
  const pid = await started(1);
  child.signal("SIGTERM");
  expect(await child.exited).toMatchObject({ code: 7 });
  expect(isRunning(pid)).toBe(false);
});

test("the program runs with the flags that save memory, and another command without them", async () => {
  const prints = "process.stdout.write(JSON.stringify(process.execArgv)); process.exitCode = 0;";
  const printed = async (args: readonly string[]) => {
    const { child } = await supervise(prints, args);
    await child.exited;
    return child.lines;
  };
  expect(await printed(["run"])).toEqual(['["--max-semi-space-size=1","--no-opt","--no-maglev"]']);
  expect(await printed(["destroy", "--yes"])).toEqual(["[]"]);
});

test.each([0, 2])("exit code %i is final: it was told to stop, or its settings cannot be used", async (code) => {
  const { child, pids } = await supervise(`process.exitCode = ${code};`);
  expect(await child.exited).toMatchObject({ code });
  expect(await pids()).toHaveLength(1);
});

test("another command is not supervised: its failure is its own exit code", async () => {
  const { child, pids } = await supervise("process.exitCode = 1;", ["destroy", "--yes"]);
  expect(await child.exited).toMatchObject({ code: 1 });
  expect(await pids()).toHaveLength(1);
});

test("pauses between crashes grow to 10 s, and a minute of running ends the series", async () => {
  const [pauses, clock] = [join(sandbox.folder, "pauses"), join(sandbox.folder, "clock")];
  const bin = await sandbox.subfolder("bin");
  const stub = async (name: string, body: string) => {
    await writeFile(join(bin, name), `#!/bin/sh\n${body}\n`);
    await chmod(join(bin, name), 0o755);
  };
  await writeFile(pauses, "");
  await writeFile(clock, "1000");
  await stub("sleep", `echo "$1" >>'${pauses}'`);
  await stub("date", `cat '${clock}'`);
  // The tenth start lasts for a minute; the twelfth is told to stop.
  const crashes = `
    const fs = require("node:fs");
    const times = fs.readFileSync(${JSON.stringify(join(sandbox.folder, "starts"))}, "utf8").trim().split("\\n").length;
    if (times === 10) fs.writeFileSync(${JSON.stringify(clock)}, "1060");
    process.exitCode = times === 12 ? 0 : 134;`;
  const { child } = await supervise(crashes, ["run"], [bin]);
  expect(await child.exited).toMatchObject({ code: 0 });
  const slept = (await readFile(pauses, "utf8")).trim().split("\n").map(Number);
  expect(slept).toEqual([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10, 0.2]);
});
