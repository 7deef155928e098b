// Runs a program that simulates, from one bundled file: `start.ts FILE [ARGUMENTS]`. Touches a child process and a file in node_modules.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bundle, NODE_FLAGS } from "./bundle.ts";

const [file = "", ...args] = process.argv.slice(2);
// In node_modules, so that the packages that are left out of the bundle are found.
const folder = await mkdtemp(fileURLToPath(new URL("../../node_modules/.simulation-", import.meta.url)));
try {
  const program = join(folder, "program.mjs");
  await bundle(pathToFileURL(file), program);
  const child = spawn(process.execPath, [...NODE_FLAGS, program, ...args], { stdio: "inherit" });
  // The terminal sends Ctrl-C to both: this program waits for the other one and removes the file.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  const [code] = await once(child, "exit");
  process.exitCode = typeof code === "number" ? code : 130;
} finally {
  await rm(folder, { recursive: true, force: true });
}
