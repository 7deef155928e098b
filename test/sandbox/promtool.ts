// Runs promtool, the checker of Prometheus for metrics, rules and their tests. Touches what its arguments name.
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { findProgram } from "./programs.ts";

export interface PromtoolResult {
  /** 0: all is well. */
  code: number | null;
  output: string;
}

/** `input` goes to its stdin. */
export async function promtool(args: readonly string[], input = ""): Promise<PromtoolResult> {
  const child = spawn(findProgram("promtool", process.env), args, { stdio: ["pipe", "pipe", "pipe"] });
  const ended = new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  child.stdin.end(input);
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, output: `${stdout}${stderr}` };
}
