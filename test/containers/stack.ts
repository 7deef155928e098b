// The compose stack under test, started as a user does, with free ports and its own project name.
import { inject } from "vitest";
import { createEmulatorControl, type EmulatorControl } from "../integration/emulator-control.ts";
import { claimPorts } from "../sandbox/ports.ts";
import { ROOT } from "../sandbox/sandbox.ts";
import { until } from "../sandbox/until.ts";
import { command } from "./command.ts";

export interface Stack {
  readonly url: string;
  /** The project name. */
  readonly project: string;
  readonly emulator: EmulatorControl;
  compose(...args: string[]): Promise<string>;
  /** Changes variables as an edit of `.env` would, and updates the stack. */
  change(env: Readonly<Record<string, string>>): Promise<void>;
  docker(...args: string[]): Promise<string>;
  /** Runs a command in a service's container. */
  inside(service: string, ...args: string[]): Promise<string>;
  /** The id of a service's container. */
  container(service: string): Promise<string>;
  /** The id of the instance that answers through nginx. Throws if none does. */
  answeredBy(): Promise<number>;
  /** Waits until an instance that meets the condition answers through nginx. */
  answered(what: string, condition?: (id: number) => boolean): Promise<number>;
  close(): Promise<void>;
}

// A cold start runs six containers on two cores and waits for Redis, the emulator and the boot.
const PATIENCE_MS = 120_000;

/** `env` fills in the file's variables. */
export async function openStack(name: string, env: Readonly<Record<string, string>> = {}): Promise<Stack> {
  const ports = await claimPorts();
  const podPort = await ports.take();
  const emulatorPort = await ports.take();
  const project = `vast-pod-${name}-${process.pid}`;
  const all: Record<string, string> = {
    ...inject("engine"),
    ...env,
    VAST_POD_PORT: String(podPort),
    EMULATOR_PORT: String(emulatorPort),
  };
  const url = `http://127.0.0.1:${podPort}`;
  const compose = (...args: string[]) =>
    command("docker-compose", ["--project-name", project, "--file", `${ROOT}/docker-compose.yml`, ...args], {
      env: all,
      cwd: ROOT,
    });
  const answeredBy = async () => {
    const response = await fetch(`${url}/who`, { signal: AbortSignal.timeout(3000) });
    const body = (await response.json()) as { instance?: number };
    if (response.status !== 200 || body.instance === undefined)
      throw new Error(`${response.status} ${JSON.stringify(body)}`);
    return body.instance;
  };
  const stack: Stack = {
    url,
    project,
    emulator: createEmulatorControl(`http://127.0.0.1:${emulatorPort}`),
    compose,
    change: async (more) => {
      Object.assign(all, more);
      await compose("up", "--detach", "--no-build");
    },
    docker: (...args) => command("docker", args, { env: all }),
    container: async (service) => (await compose("ps", "--quiet", service)).trim(),
    inside: (service, ...args) => compose("exec", "-T", service, ...args),
    answeredBy,
    answered: (what, condition = () => true) =>
      until(
        what,
        async () => {
          const id = await answeredBy();
          return condition(id) ? id : null;
        },
        { timeoutMs: PATIENCE_MS, everyMs: 200, context: () => compose("logs", "--tail", "15") },
      ),
    close: async () => {
      await compose("down", "--volumes", "--timeout", "20");
      await ports.release();
    },
  };
  await compose("up", "--detach", "--no-build");
  return stack;
}
