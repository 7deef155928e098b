// The file system as the programs use it, handed in so that a simulation can bring its own. Touches files.
import { mkdir, rename, utimes } from "node:fs/promises";
import { dirname } from "node:path";
import { readIfExists, removeStaleTemporaries, type Written, writeAtomic } from "./atomic-file.ts";

/** Every function throws the file system's error; a file that could not be written holds what it held before. */
export interface Disk {
  /** The file's text, or null when there is none. */
  read(path: string): Promise<string | null>;
  /** See `writeAtomic`. */
  write(path: string, text: string, mode: number): Promise<Written>;
  /** Makes the file's folder and removes what a killed writer of the file left in it. Call it once at start. */
  prepare(path: string): Promise<void>;
  /** Sets the file's time of change, epoch ms, and leaves its bytes. */
  touch(path: string, at: number): Promise<void>;
  move(from: string, to: string): Promise<void>;
  /** Removes what a killed writer of the file left in its folder. */
  removeStale(path: string): Promise<void>;
}

export const systemDisk: Disk = {
  read: readIfExists,
  write: writeAtomic,
  async prepare(path) {
    await mkdir(dirname(path), { recursive: true });
    await removeStaleTemporaries(path);
  },
  touch: (path, at) => utimes(path, at / 1000, at / 1000),
  move: rename,
  removeStale: removeStaleTemporaries,
};
