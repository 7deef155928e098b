// Finds nginx, redis-server and other programs: the system's, or the copy that setup.sh unpacks for users without root.
// Only reads the disk.
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where setup.sh keeps programs that it unpacked. Each is a script that sets the library path and starts the program. */
export function cachedPrograms(env: Environment): string {
  const cache = env.XDG_CACHE_HOME || join(env.HOME || "/", ".cache");
  return join(cache, "vast-pod", "bin");
}

/**
 * The absolute path of a program. An absolute `name` is only checked. Also searches /usr/sbin, where Debian has nginx:
 * it is not in the PATH of ordinary users. Throws an error that says how to install the program.
 */
export function findProgram(name: string, env: Environment): string {
  if (name.startsWith("/")) {
    if (isProgram(name)) return name;
    throw new Error(`${name} does not exist or is not executable`);
  }
  const folders = [...(env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/bin", cachedPrograms(env)];
  for (const folder of folders) {
    const path = join(folder, name);
    if (folder !== "" && isProgram(path)) return path;
  }
  throw new Error(`${name} is not installed: run test/setup.sh or install it, then start again`);
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
