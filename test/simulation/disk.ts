// A pod's two volumes in memory: the shared one and the provisioner's. They survive a process, but not the pod. Pure.
import type { Disk } from "../../common/disk.ts";
import { never } from "./process.ts";

export interface PodDisk {
  read(path: string): string | null;
  /** Throws ENOSPC while the disk is full. */
  write(path: string, text: string): void;
  /** Needs no space; throws if there is no such file. */
  overwrite(path: string, text: string): void;
  move(from: string, to: string): void;
  touch(path: string): void;
  /** While true every write fails and leaves the file unchanged. */
  full: boolean;
  /** While true the same, but not for the upstream file, which is on another volume. */
  stateFull: boolean;
}

export function podDisk(upstreamPath: string): PodDisk {
  const files = new Map<string, string>();
  const fail = (code: string, path: string) => Object.assign(new Error(`${code}: ${path}`), { code });
  const disk: PodDisk = {
    full: false,
    stateFull: false,
    read: (path) => files.get(path) ?? null,
    write(path, text) {
      if (disk.full || (disk.stateFull && path !== upstreamPath)) throw fail("ENOSPC", path);
      files.set(path, text);
    },
    overwrite(path, text) {
      if (!files.has(path)) throw fail("ENOENT", path);
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

/** Called around the writes of one process. `before` and `after` may kill it, and a dead process has no effect. */
export interface WriteObserver {
  /** Returns false if the process is dead: then nothing is written. */
  before(path: string): boolean;
  after(path: string, text: string): void;
  alive(): boolean;
}

/** The disk for one process. Calls of a process that is dead, or dies during them, never return. */
export function processDisk(disk: PodDisk, observer: WriteObserver): Disk {
  return {
    read: async (path) => (observer.alive() ? disk.read(path) : never()),
    async write(path, text) {
      if (!observer.alive()) return never();
      if (disk.read(path) === text) return { changed: false };
      if (!observer.before(path)) return never();
      disk.write(path, text);
      observer.after(path, text);
      return observer.alive() ? { changed: true } : never();
    },
    async overwrite(path, text) {
      if (!observer.alive()) return never();
      if (!observer.before(path)) return never();
      disk.overwrite(path, text);
      observer.after(path, text);
      return observer.alive() ? undefined : never();
    },
    prepare: async () => undefined,
    touch: async (path) => (observer.alive() ? disk.touch(path) : never()),
    move: async (from, to) => (observer.alive() ? disk.move(from, to) : never()),
    removeStale: async () => undefined,
  };
}
