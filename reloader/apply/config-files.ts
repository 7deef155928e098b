// The config and its last good copy on the disk. Touches these two files through what it is given.
import { dirname } from "node:path";
import type { Written } from "../../common/atomic-file.ts";
import { type Config, readConfig } from "../render/render.ts";

export interface Disk {
  /** Null when there is no such file. */
  read(path: string): Promise<string | null>;
  write(path: string, text: string, mode: number): Promise<Written>;
  /** Puts one file in the place of another; needs no room on the volume. */
  move(from: string, to: string): Promise<void>;
  /** Removes what a killed writer of `path` left. */
  removeStale(path: string): Promise<void>;
}

export type WriteResult = { ok: true; changed: boolean } | { ok: false; why: string };

// nginx' master reads it as whatever user it runs as.
const READABLE = 0o644;

export class ConfigFiles {
  readonly configPath: string;
  readonly #goodPath: string;
  readonly #disk: Disk;
  #good: Config | null = null;

  constructor(paths: { configPath: string; goodPath: string }, disk: Disk) {
    this.configPath = paths.configPath;
    this.#goodPath = paths.goodPath;
    this.#disk = disk;
  }

  /** The last config that nginx was proven to run, in this run or an earlier one. */
  get good(): Config | null {
    return this.#good;
  }

  /**
   * Call once before all else. Finds what an earlier run had proven and puts it in the place of a config that it had
   * not: should nginx start now, it must not start with that.
   */
  async recover(): Promise<WriteResult> {
    try {
      for (const path of [this.configPath, this.#goodPath]) await this.#disk.removeStale(path);
      const text = await this.#disk.read(this.#goodPath);
      this.#good = text === null ? null : readConfig(text);
    } catch (error) {
      return { ok: false, why: diskProblem(this.#goodPath, error) };
    }
    return this.#good === null ? { ok: true, changed: false } : this.restore(this.#good);
  }

  /** Makes the config file hold `config`. */
  async write(config: Config): Promise<WriteResult> {
    const written = await this.#put(this.configPath, config.text);
    if (written.ok || config.server !== null || !this.#good?.server) return written;
    // A full volume must not keep a server that is to be withdrawn: the room is that of its good copy, which is as well
    // kept in the config's own place.
    return (await this.#moveGood(this.#good)) ? this.#put(this.configPath, config.text) : written;
  }

  /** Remembers `config` as proven. It counts as good even when the copy cannot be written. */
  async keepAsGood(config: Config): Promise<WriteResult> {
    this.#good = config;
    return this.#put(this.#goodPath, config.text);
  }

  /** Makes the config file hold the last good config, also on a full volume: its copy lies there already. */
  async restore(good: Config): Promise<WriteResult> {
    const written = await this.write(good);
    if (written.ok) return written;
    return (await this.#moveGood(good)) ? { ok: true, changed: true } : written;
  }

  async #moveGood(good: Config): Promise<boolean> {
    try {
      if ((await this.#disk.read(this.#goodPath)) !== good.text) return false;
      await this.#disk.move(this.#goodPath, this.configPath);
      return true;
    } catch {
      return false; // why a config cannot be written at all says more
    }
  }

  async #put(path: string, text: string): Promise<WriteResult> {
    try {
      return { ok: true, changed: (await this.#disk.write(path, text, READABLE)).changed };
    } catch (error) {
      return { ok: false, why: diskProblem(path, error) };
    }
  }
}

/** A sentence that names the file, what is wrong and what to do. */
export function diskProblem(path: string, error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  const folder = dirname(path);
  const remedies: Readonly<Record<string, string>> = {
    EACCES: "let the reloader's user write in that folder",
    EPERM: "let the reloader's user write in that folder",
    EROFS: "mount a writable volume there",
    ENOENT: "mount a volume for that folder",
    ENOTDIR: "its folder is a file: correct the path",
    ENOSPC: "make room on that volume",
    EDQUOT: "make room on that volume",
    EFBIG: "lift the limit of file sizes (ulimit -f)",
    EBUSY: `mount a volume on the folder ${folder}, not on the single file: a mounted file cannot be replaced`,
    EXDEV: `mount a volume on the folder ${folder}, not on the single file: a mounted file cannot be replaced`,
    EISDIR: "a folder is in its place: remove it",
  };
  return `${path} cannot be written (${code}): ${remedies[code] ?? "see to that volume"}`;
}
