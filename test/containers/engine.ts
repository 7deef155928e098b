// A Docker engine for the tests: the machine's, or else one that is started with its own socket and data and is removed after
// the tests. Touches processes and a temporary folder; starting an engine needs root.
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../sandbox/until.ts";
import { command } from "./command.ts";

export interface Engine {
  /** The environment with which `docker` and `docker-compose` reach it. */
  env: Readonly<Record<string, string>>;
  docker(...args: string[]): Promise<string>;
  close(): Promise<void>;
}

// The classic builder and Compose 1.29 need only the engine, and are what old installations have.
const CLASSIC = { DOCKER_BUILDKIT: "0", COMPOSE_DOCKER_CLI_BUILD: "0" };

export interface EngineOptions {
  /** False for an engine that only builds: it leaves the machine's firewall alone, and its containers have no network but the host's. */
  firewall?: boolean;
}

export async function openEngine({ firewall = true }: EngineOptions = {}): Promise<Engine> {
  const own = await startedEngine(CLASSIC);
  if (own !== null) return own;
  const folder = await mkdtemp(join(tmpdir(), "vast-pod-docker-"));
  const rulesPath = join(folder, "rules");
  if (firewall) await writeFile(rulesPath, await command("iptables-save", []));
  const socket = `unix://${join(folder, "docker.sock")}`;
  const logPath = join(folder, "log");
  const log = openSync(logPath, "a");
  const daemon = spawn(
    "dockerd",
    [
      ...["--host", socket, "--data-root", join(folder, "data"), "--exec-root", join(folder, "exec")],
      ...["--pidfile", join(folder, "pid")],
      "--bridge=none",
      ...(firewall ? [] : ["--iptables=false", "--ip6tables=false"]),
    ],
    { stdio: ["ignore", log, log] },
  );
  closeSync(log);
  const ended = new Promise<void>((resolve) => daemon.once("close", () => resolve()));
  const killNow = () => daemon.kill("SIGKILL"); // when the tests are killed
  process.once("exit", killNow);
  const close = async () => {
    process.off("exit", killNow);
    daemon.kill("SIGTERM");
    await ended;
    // A network namespace stays mounted below the daemon's folder after it has exited.
    const mounts = (await readFile("/proc/mounts", "utf8")).split("\n").map((line) => line.split(" ")[1] ?? "");
    for (const path of mounts.filter((one) => one.startsWith(`${folder}/`)).reverse()) await command("umount", [path]);
    // The engine leaves its firewall rules, with a policy that drops the traffic of other bridges.
    if (firewall) await command("iptables-restore", [rulesPath]);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    return await until(
      "the Docker engine answers",
      async () => {
        const engine = await startedEngine({ ...CLASSIC, DOCKER_HOST: socket });
        return engine === null ? null : { ...engine, close };
      },
      { timeoutMs: 60_000, everyMs: 250, context: () => readFile(logPath, "utf8").then((text) => text.slice(-2000)) },
    );
  } catch (error) {
    await close();
    throw error;
  }
}

async function startedEngine(env: Readonly<Record<string, string>>): Promise<Engine | null> {
  const docker = (...args: string[]) => command("docker", args, { env });
  try {
    await docker("info");
  } catch {
    return null; // no engine answers there
  }
  return { env, docker, close: async () => undefined };
}
