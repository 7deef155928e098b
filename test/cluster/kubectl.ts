// Runs kubectl in the cluster of KUBECONFIG, and opens its proxy to the API server. Touches processes.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { command } from "../containers/command.ts";
import { parentDeathSignal } from "../sandbox/parent-death-signal.ts";
import { findProgram } from "../sandbox/programs.ts";

const program = findProgram("kubectl", process.env);

/** Its stdout. Throws with its last lines if it fails. */
export const kubectl = (...args: string[]) => command(program, args);

export async function getJson<T>(...args: string[]): Promise<T> {
  return JSON.parse(await kubectl("get", ...args, "--output", "json")) as T;
}

export interface ApiProxy {
  /** Everything below it needs no token. */
  url: string;
  close(): Promise<void>;
}

export async function openApiProxy(): Promise<ApiProxy> {
  const [first = program, ...rest] = [...parentDeathSignal(process.env), program, "proxy", "--port=0"];
  const child = spawn(first, rest, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`kubectl proxy ended with ${code}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const address = /Starting to serve on (\S+)/.exec(line)?.[1];
      if (address !== undefined) resolve(`http://${address}`);
    });
  });
  return {
    url,
    close: async () => {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
