// Runs one command and waits for it. Touches processes.
import { spawn } from "node:child_process";

export interface CommandOptions {
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  timeoutMs?: number;
}

// The longest step unpacks a base system.
const LONGEST_MS = 600_000;

/** Its stdout. Throws with its last lines if it fails. */
export function command(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: options.timeoutMs ?? LONGEST_MS,
      killSignal: "SIGKILL",
    });
    let out = "";
    let all = "";
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk;
      all += chunk;
    });
    child.stderr.on("data", (chunk: Buffer) => {
      all += chunk;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) return resolve(out);
      reject(new Error(`${program} ${args.join(" ")} ended with ${code ?? signal}:\n${all.slice(-4000)}`));
    });
  });
}
