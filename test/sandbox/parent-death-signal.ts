// Makes processes end with the one that started them, even when that one is killed by force and can end nothing itself.
// Touches nothing but the one process that it tries it with.
import { spawnSync } from "node:child_process";
import { type Environment, findProgram } from "./programs.ts";

/**
 * The words to put in front of a command, so that Linux sends it SIGTERM when its parent dies: `setpriv` becomes the
 * command, with the same process id. Empty where the system's setpriv is missing or cannot (BusyBox).
 */
export function parentDeathSignal(env: Environment): readonly string[] {
  let setpriv: string;
  try {
    setpriv = findProgram("setpriv", env);
  } catch {
    return []; // then only an orderly end, and not a `kill -9` of the parent, ends the children
  }
  const prefix = [setpriv, "--pdeathsig", "TERM", "--"];
  return spawnSync(setpriv, [...prefix.slice(1), "true"]).status === 0 ? prefix : [];
}
