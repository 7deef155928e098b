// The file system as both programs use it, passed in so that a simulation can replace it. Touches files.
import { mkdir, rename, utimes } from "node:fs/promises";
import { dirname } from "node:path";
import { overwriteInPlace, readIfExists, removeStaleTemporaries, type Written, writeAtomic } from "./atomic-file.ts";

/** Every function throws the file system's error; a file that could not be written keeps its old content. */
export interface Disk {
  /** The file's text, or null when it does not exist. */
  read(path: string): Promise<string | null>;
  /** See `writeAtomic`. */
  write(path: string, text: string, mode: number): Promise<Written>;
  /** See `overwriteInPlace`. */
  overwrite(path: string, text: string): Promise<void>;
  /** Creates the file's folder and removes stale temporary files of `path` in it. */
  prepare(path: string): Promise<void>;
  /** Sets the file's modification time, epoch ms, without changing its content. */
  touch(path: string, at: number): Promise<void>;
  /** Replaces one file by another; needs no space on the volume. */
  move(from: string, to: string): Promise<void>;
  /** Removes the temporary files that a killed writer of `path` left. */
  removeStale(path: string): Promise<void>;
}

export const systemDisk: Disk = {
  read: readIfExists,
  write: writeAtomic,
  overwrite: overwriteInPlace,
  async prepare(path) {
    await mkdir(dirname(path), { recursive: true });
    await removeStaleTemporaries(path);
  },
  touch: (path, at) => utimes(path, at / 1000, at / 1000),
  move: rename,
  removeStale: removeStaleTemporaries,
};
