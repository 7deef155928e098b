// Writes a file atomically: a reader sees the old content or the new one, never a part. Touches one folder.
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { chmod, type FileHandle, lstat, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { codeOf } from "./errors.ts";
import { readSmallBytes } from "./small-file.ts";

const NOT_FOUND: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR"]);

/** What a write did. */
export interface Written {
  changed: boolean;
}

/** The content of `path` as text, or null when the file does not exist. Throws other errors, see `readSmallFile`. */
export async function readIfExists(path: string): Promise<string | null> {
  try {
    return (await readSmallBytes(path)).bytes.toString("utf8");
  } catch (error) {
    if (NOT_FOUND.has(codeOf(error) ?? "")) return null;
    throw error;
  }
}

/**
 * Writes `text` to `path` with the permission bits `mode`: temporary file in the same folder, fsync, rename.
 * Equal content is not written again; whatever else lies there (a link, a pipe, a huge file) is replaced, and a folder is
 * moved to `<path>.unusable-<random>`: container engines create one where a file to mount is missing.
 * Throws the file system's error; the old file is then unchanged.
 */
export async function writeAtomic(path: string, text: string, mode: number): Promise<Written> {
  if (await holds(path, text)) return { changed: false };
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
    await chmod(temporary, mode); // open() applies the umask, which differs between images
    const pipe = await openPipe(path);
    try {
      await replace(temporary, path);
    } finally {
      await pipe?.close();
    }
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return { changed: true };
}

/**
 * Overwrites an existing file in one write, for a volume that is too full for a second file. What is left of a longer old text is blanked
 * out first and then cut off, because a reader may come in between. Throws the file system's error; the old content is then put back.
 */
export async function overwriteInPlace(path: string, text: string): Promise<void> {
  const file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    const before = await file.readFile();
    const bytes = Buffer.from(text);
    const padded = Buffer.concat([bytes, Buffer.alloc(Math.max(0, before.length - bytes.length), " ")]);
    try {
      const { bytesWritten } = await file.write(padded, 0, padded.length, 0);
      if (bytesWritten < padded.length) throw Object.assign(new Error(`ENOSPC: ${path}`), { code: "ENOSPC" });
      await file.truncate(bytes.length);
    } catch (error) {
      await file.write(before, 0, before.length, 0);
      await file.truncate(before.length);
      throw error;
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

async function replace(temporary: string, path: string): Promise<void> {
  await rename(temporary, path).catch(async (error) => {
    if (codeOf(error) !== "EISDIR") throw error;
    await rename(path, `${path}.unusable-${randomBytes(6).toString("hex")}`).catch(() => {
      throw error; // a mounted folder: the first error names the folder that is in the way
    });
    await rename(temporary, path);
  });
}

/**
 * A reader that waits in the open of a named pipe, such as nginx in a reload, would wait for ever once the pipe has lost its name. It goes
 * on when a writer opens the pipe, and has read an empty file when that writer closes it.
 */
async function openPipe(path: string): Promise<FileHandle | null> {
  try {
    return (await lstat(path)).isFIFO() ? await open(path, constants.O_RDWR | constants.O_NONBLOCK) : null;
  } catch {
    return null; // mostly there is nothing; the replacement reports what else is wrong
  }
}

/** Whether `path` is a regular file with that text. One that cannot be read is written again. */
async function holds(path: string, text: string): Promise<boolean> {
  try {
    return (await readSmallBytes(path, true)).bytes.equals(Buffer.from(text));
  } catch {
    return false;
  }
}

/** Removes the temporary files that a killed writer of `path` left. Call it before writing, not during a write. */
export async function removeStaleTemporaries(path: string): Promise<void> {
  const prefix = `.${basename(path)}.`;
  for (const entry of await readdir(dirname(path), { withFileTypes: true })) {
    const { name } = entry;
    if (!entry.isDirectory() && name.startsWith(prefix) && name.endsWith(".tmp"))
      await rm(join(dirname(path), name), { force: true });
  }
}
