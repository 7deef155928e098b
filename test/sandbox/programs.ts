// Decides which nginx and redis-server are started: the system's, or the copy that setup.sh keeps for users without
// root. Looks at the disk only.
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where setup.sh keeps programs that it could not install, each behind a script that knows its libraries. */
export function cachedPrograms(env: Environment): string {
  const cache = env.XDG_CACHE_HOME || join(env.HOME || "/", ".cache");
  return join(cache, "vast-pod", "bin");
}

/**
 * The absolute path of a program; one that is given as such is only looked at. Debian keeps nginx in /usr/sbin, which is not in the PATH of ordinary users.
 * Throws a sentence that says how to get it.
 */
export function findProgram(name: string, env: Environment): string {
  if (name.startsWith("/")) {
    if (isProgram(name)) return name;
    throw new Error(`${name} is not there, or no program`);
  }
  const folders = [...(env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/bin", cachedPrograms(env)];
  for (const folder of folders) {
    const path = join(folder, name);
    if (folder !== "" && isProgram(path)) return path;
  }
  throw new Error(`${name} is not installed: run test/setup.sh, or install it and start again`);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch (error) {
    if (error instanceof Error && "code" in error) return false;
    throw error;
  }
}
