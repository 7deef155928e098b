// The processes of our own cluster, for tests that run in its process namespace: found, stopped and killed. Touches /proc, and one file
// in the cluster's folder.
import { readdirSync, readFileSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { until } from "../../sandbox/until.ts";

/** The folder of the cluster in which this process runs. */
export function ownCluster(): string {
  const folder = process.env.OWN_CLUSTER;
  if (folder === undefined) throw new Error("OWN_CLUSTER is not set: these tests run only in the cluster of own/up.sh");
  return folder;
}

// The kernel cuts names of processes off here.
const LONGEST_NAME = 15;

/** The processes of this name; with `inside`, only those of the pod with this uid, or of the container with this id. */
export function processesNamed(name: string | null, inside = ""): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => name === null || textOf(pid, "comm").trim() === name.slice(0, LONGEST_NAME))
    .filter((pid) => inside === "" || textOf(pid, "cgroup").includes(inside))
    .map(Number);
}

/** The file's text; empty when the process has ended meanwhile. */
function textOf(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && ["ENOENT", "ESRCH"].includes(String(error.code))) return "";
    throw error;
  }
}

/** Sends the signal to the only process of this name, and returns its id. */
export function signalProgram(name: string, signal: NodeJS.Signals): number {
  const [pid, ...others] = processesNamed(name);
  if (pid === undefined || others.length > 0) throw new Error(`not one process ${name}, but ${1 + others.length}`);
  process.kill(pid, signal);
  return pid;
}

/** Kills the program and waits until the cluster has started it again. */
export async function restartProgram(name: string): Promise<void> {
  const killed = signalProgram(name, "SIGKILL");
  await until(`${name} runs again`, () => processesNamed(name).some((pid) => pid !== killed), { timeoutMs: 60_000 });
}

const flagsFile = (folder: string) => join(folder, "controller-manager-flags.json");

/** The flags that a test has set for the controller manager. */
export async function readMoreFlags(folder: string): Promise<string[]> {
  try {
    return JSON.parse(await readFile(flagsFile(folder), "utf8")) as string[];
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

/** Starts the controller manager again with these flags beside its own. */
export async function restartControllers(...flags: string[]): Promise<void> {
  const file = flagsFile(ownCluster());
  if (flags.length === 0) await rm(file, { force: true });
  else await writeFile(file, JSON.stringify(flags));
  await restartProgram("kube-controller-manager");
}
