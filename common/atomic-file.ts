// Writes a file so that a reader sees the old bytes or the new ones, never half of them. Touches one folder.
import { randomBytes } from "node:crypto";
import { chmod, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** What a write did: callers, logs and tests need not guess. */
export interface Written {
  changed: boolean;
}

/** The bytes of `path` as text, or null when there is no such file. Other errors are thrown. */
export async function readIfExists(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/**
 * Makes `path` hold `text` with permission bits `mode`: temporary file in the same folder, fsync, rename.
 * Equal bytes are not written again. Throws the file system's error; the old file is then untouched.
 */
export async function writeAtomic(path: string, text: string, mode: number): Promise<Written> {
  if ((await readIfExists(path)) === text) return { changed: false };
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    const file = await open(temporary, "wx", mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await chmod(temporary, mode); // open()'s mode is cut by the umask, which differs from image to image
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return { changed: true };
}

/** Removes the temporary files that a killed writer of `path` left behind. Call it once at start, before writing. */
export async function removeStaleTemporaries(path: string): Promise<void> {
  const prefix = `.${basename(path)}.`;
  for (const name of await readdir(dirname(path))) {
    if (name.startsWith(prefix) && name.endsWith(".tmp")) await rm(join(dirname(path), name), { force: true });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}
