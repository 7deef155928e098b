// A pod's two volumes in memory: the shared one and the provisioner's own. They outlive a process, not the pod. Pure.
import type { Disk } from "../../common/disk.ts";
import { never } from "./process.ts";

export interface PodDisk {
  read(path: string): string | null;
  /** Throws ENOSPC while the disk is full. */
  write(path: string, text: string): void;
  move(from: string, to: string): void;
  touch(path: string): void;
  /** While true every write is refused and leaves the file as it was. */
  full: boolean;
}

export function podDisk(): PodDisk {
  const files = new Map<string, string>();
  const fail = (code: string, path: string) => Object.assign(new Error(`${code}: ${path}`), { code });
  const disk: PodDisk = {
    full: false,
    read: (path) => files.get(path) ?? null,
    write(path, text) {
      if (disk.full) throw fail("ENOSPC", path);
      files.set(path, text);
    },
    move(from, to) {
      const text = files.get(from);
      if (text === undefined) throw fail("ENOENT", from);
      files.set(to, text);
      files.delete(from);
    },
    touch(path) {
      if (!files.has(path)) throw fail("ENOENT", path);
    },
  };
  return disk;
}

/** What happens around the writes of one process: `before` and `after` may kill it, and what a dead process does has no effect. */
export interface WriteWatch {
  /** Answers false when the process is dead: the write is not made. */
  before(path: string): boolean;
  after(path: string, text: string): void;
  alive(): boolean;
}

/** The disk as one process has it. Calls of a process that is dead, or dies in them, never return. */
export function processDisk(disk: PodDisk, watch: WriteWatch): Disk {
  return {
    read: async (path) => (watch.alive() ? disk.read(path) : never()),
    async write(path, text) {
      if (!watch.alive()) return never();
      if (disk.read(path) === text) return { changed: false };
      if (!watch.before(path)) return never();
      disk.write(path, text);
      watch.after(path, text);
      return watch.alive() ? { changed: true } : never();
    },
    prepare: async () => undefined,
    touch: async (path) => (watch.alive() ? disk.touch(path) : never()),
    move: async (from, to) => (watch.alive() ? disk.move(from, to) : never()),
    removeStale: async () => undefined,
  };
}
