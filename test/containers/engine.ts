// A Docker engine for the tests: the machine's, or one that is started with its own socket and data. Touches processes and the
// engine's folder; starting an engine needs root.
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { codeOf } from "../../common/errors.ts";
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

/** An engine to build images with: the machine's, or else one in a temporary folder, which is removed at the end. */
export async function openEngine(): Promise<Engine> {
  const machines = await engineAt(CLASSIC);
  if (machines !== null) return machines;
  const folder = await mkdtemp(join(tmpdir(), "vast-pod-docker-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const engine = await startEngine(folder, "builds");
    return { ...engine, close: () => engine.close().finally(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** The machine's engine. Throws if it does not answer. */
export async function machinesEngine(): Promise<Engine> {
  const engine = await engineAt(CLASSIC);
  if (engine === null) throw new Error("no Docker engine answers: start one, or use `npm run test:containers`");
  return engine;
}

/**
 * Starts an engine whose images and containers are below `folder`. One that only `builds` leaves links, firewall and forwarding
 * alone, and its containers have no network but the machine's. One that `runs` containers needs a network namespace of its own.
 */
export async function startEngine(folder: string, purpose: "builds" | "runs"): Promise<Engine> {
  const cgroup = basename(folder);
  const socket = `unix://${join(folder, "docker.sock")}`;
  const logPath = join(folder, "log");
  const log = openSync(logPath, "a");
  const daemon = spawn(
    "dockerd",
    [
      ...["--host", socket, "--data-root", join(folder, "data"), "--exec-root", join(folder, "exec")],
      ...["--pidfile", join(folder, "pid"), "--bridge=none"],
      // systemd does not know these containers.
      ...["--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", `/${cgroup}`],
      ...(purpose === "runs" ? [] : ["--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"]),
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
    const mounts = (await readFile("/proc/mounts", "utf8")).split("\n").map((line) => line.split(" "));
    // A network namespace stays mounted below the daemon's folder after it has exited.
    const left = mounts.map(([, path = ""]) => path).filter((path) => path.startsWith(`${folder}/`));
    for (const path of left.reverse()) await command("umount", [path]);
    // One for each controller, or one for all with cgroup v2.
    const cgroups = mounts.filter(([, , type = ""]) => type === "cgroup" || type === "cgroup2");
    for (const [, path = ""] of cgroups) await removeEmpty(join(path, cgroup));
  };
  try {
    return await until(
      "the Docker engine answers",
      async () => {
        const engine = await engineAt({ ...CLASSIC, DOCKER_HOST: socket });
        return engine === null ? null : { ...engine, close };
      },
      { timeoutMs: 60_000, everyMs: 250, context: () => readFile(logPath, "utf8").then((text) => text.slice(-2000)) },
    );
  } catch (error) {
    await close();
    throw error;
  }
}

async function engineAt(env: Readonly<Record<string, string>>): Promise<Engine | null> {
  const docker = (...args: string[]) => command("docker", args, { env });
  try {
    await docker("info");
  } catch {
    return null; // no engine answers there
  }
  return { env, docker, close: async () => undefined };
}

async function removeEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error; // no container ran
  }
}
