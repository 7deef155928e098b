// What `npm run local` does before it starts the stack, with its scripts in a folder of their own and a fake npm.
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Child } from "../sandbox/child.ts";
import { processesWith } from "../sandbox/process-table.ts";
import { openSandbox, ROOT, type Sandbox } from "../sandbox/sandbox.ts";
import { until } from "../sandbox/until.ts";

let sandbox: Sandbox;
let checkout: string;
beforeEach(async () => {
  sandbox = await openSandbox();
  checkout = await sandbox.subfolder("checkout");
  for (const file of ["test/local/run.sh", "test/setup.sh", "package-lock.json"]) {
    cpSync(join(ROOT, file), join(checkout, file));
  }
});
afterEach(async () => {
  // They are in sessions of their own, where the sandbox does not reach them if the test fails.
  for (const pid of processesWith(sandbox.folder)) process.kill(pid, "SIGKILL");
  await sandbox.close();
});

/** A fake npm that goes on when it is told to end, as the real one does. */
function writeFakeNpm(): string {
  const bin = join(sandbox.folder, "bin");
  mkdirSync(bin);
  const lines = [
    "#!/bin/sh",
    "trap '' INT TERM HUP",
    "mkdir -p node_modules/half",
    "sleep 600 & echo $! >started",
    "wait",
    "sleep 600",
  ];
  writeFileSync(join(bin, "npm"), `${lines.join("\n")}\n`);
  chmodSync(join(bin, "npm"), 0o755);
  return bin;
}

const run = (...args: string[]): Promise<Child> =>
  sandbox.start({
    name: "run.sh",
    program: "sh",
    args: [join(checkout, "test/local/run.sh"), ...args],
    env: { PATH: `${join(sandbox.folder, "bin")}:${process.env.PATH}` },
  });

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "%s while npm installs the packages ends npm at once and leaves nothing of it",
  async (signal) => {
    const bin = writeFakeNpm();
    const local = await run();
    const started = join(checkout, "started");
    await until("npm installs", () => existsSync(started) && readFileSync(started, "utf8") !== "", {
      context: () => local.lines.join("\n"),
    });
    local.signal(signal);
    expect(await local.exited).toEqual({ code: 0, signal: null });
    expect(processesWith(bin)).toEqual([]);
    expect(existsSync(join(checkout, "node_modules"))).toBe(false);
    expect(local.lines).toEqual(["Installing the npm packages", "Stopped before anything was started."]);
  },
);

test.each(["--help", "-h"])("%s prints what the command does and its options, and installs nothing", async (option) => {
  writeFakeNpm();
  const local = await run(option);
  expect(await local.exited).toEqual({ code: 0, signal: null });
  const text = local.lines.join("\n");
  for (const part of ["Usage: npm run local", "Nothing is rented", "Ctrl-C", "3000", "8090", "--help"]) {
    expect(text).toContain(part);
  }
  expect(existsSync(join(checkout, "started"))).toBe(false);
});

test("an unknown option is refused, with what to do instead", async () => {
  writeFakeNpm();
  const local = await run("--port", "4000");
  expect(await local.exited).toEqual({ code: 2, signal: null });
  expect(local.lines).toEqual([
    'vast-pod: `npm run local` does not know "--port": start it without options, or see `npm run local -- --help`.',
  ]);
  expect(existsSync(join(checkout, "started"))).toBe(false);
});
