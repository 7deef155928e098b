// Starts our own cluster, runs one command with its kubeconfig, and ends with the command's exit code. Started by namespaces.sh:
// `main.ts <programs> <images> <folder> <cgroup> <command ...>`. Touches processes.
import { spawn } from "node:child_process";
import { startOwnCluster } from "./cluster.ts";

const [programs = "", images = "", folder = "", cgroup = "", program = "", ...args] = process.argv.slice(2);
if (program === "") throw new Error("main.ts: use <programs> <images> <folder> <cgroup> <command ...>");

const startedAt = Date.now();
const cluster = await startOwnCluster({ programs, images, folder, cgroup });
try {
  console.log(`The cluster is ready after ${Math.round((Date.now() - startedAt) / 1000)} s (logs: ${folder}/logs)`);
  const env = { ...process.env, KUBECONFIG: cluster.kubeconfig, OWN_CLUSTER: folder };
  const child = spawn(program, args, { stdio: "inherit", env });
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 1));
  });
} finally {
  await cluster.close();
}
