// The machine and the program versions of a measurement. Reads /proc and runs the programs.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { findProgram } from "../sandbox/programs.ts";

export interface Machine {
  cpu: string;
  cores: number;
  node: string;
  nginx: string;
  /** Load average of the minute before: above half the number of cores, the results are doubtful. */
  loadBefore: number;
}

export function describeMachine(): Machine {
  return {
    cpu: /^model name\s*: (.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "unknown",
    cores: availableParallelism(),
    node: process.version,
    nginx: nginxVersion(findProgram("nginx", process.env)),
    loadBefore: loadavg()[0] ?? 0,
  };
}

/** `1.22.1`. Throws the program's message if it does not start. */
export function nginxVersion(program: string): string {
  const { stderr, error } = spawnSync(program, ["-v"], { encoding: "utf8" });
  const version = /nginx\/(\d+\.\d+\.\d+)/.exec(stderr ?? "")?.[1];
  if (version === undefined) throw new Error(`${program} -v: ${error?.message ?? stderr}`);
  return version;
}

/** True when `version` is `least` or a later one; both as `1.27.4`. */
export function isVersion(version: string, least: string): boolean {
  const parts = (text: string) => text.split(".").map(Number);
  const [ours, wanted] = [parts(version), parts(least)];
  for (const [i, part] of wanted.entries()) {
    const own = ours[i] ?? 0;
    if (own !== part) return own > part;
  }
  return true;
}
