// Makes child processes end when their parent dies, even when the parent is killed with SIGKILL and cannot clean up.
// Starts one short process to check that it works.
import { spawnSync } from "node:child_process";
import { type Environment, findProgram } from "./programs.ts";

/**
 * The words to put in front of a command so that Linux sends it SIGTERM when its parent dies. `setpriv` replaces itself
 * with the command, so the process id stays the same. Empty when setpriv is missing or has no such option (BusyBox).
 */
export function parentDeathSignal(env: Environment): readonly string[] {
  let setpriv: string;
  try {
    setpriv = findProgram("setpriv", env);
  } catch {
    return []; // then the children survive a `kill -9` of the parent; a normal shutdown still ends them
  }
  const prefix = [setpriv, "--pdeathsig", "TERM", "--"];
  return spawnSync(setpriv, [...prefix.slice(1), "true"]).status === 0 ? prefix : [];
}
