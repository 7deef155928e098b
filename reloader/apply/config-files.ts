// Reads and writes the config and its last good copy. Touches these two files through what it is given.
import { statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { type Disk, systemDisk } from "../../common/disk.ts";
import { codeOf } from "../../common/errors.ts";
import { type Server, sameServer } from "../../common/upstream-file.ts";
import { diskProblem } from "../disk-problem.ts";
import { type Config, readConfig } from "../render/render.ts";

/** The disk as the config files need it. */
export interface ConfigDisk extends Pick<Disk, "read" | "write" | "overwrite" | "move" | "removeStale"> {
  /** Removes a file; it may be missing. */
  remove(path: string): Promise<void>;
  /** Epoch ms of the last write. Throws when there is no such file. */
  writtenAt(path: string): Promise<number>;
}

export const systemConfigDisk: ConfigDisk = {
  ...systemDisk,
  remove: (path) => rm(path, { force: true }),
  writtenAt: async (path) => statSync(path).mtimeMs,
};

export type WriteResult = { ok: true; changed: boolean } | { ok: false; why: string };

// The user of nginx' master differs from image to image.
const READABLE = 0o644;

export class ConfigFiles {
  readonly configPath: string;
  readonly #goodPath: string;
  readonly #disk: ConfigDisk;
  #good: Config | null = null;
  #found: Config | null = null;
  /** The config was replaced at the start, and nginx may be loading the one before. */
  mustReload = false;
  /** The good copy names a withdrawn server and could not be removed. */
  #mustRemove = false;

  constructor(paths: { configPath: string; goodPath: string }, disk: ConfigDisk) {
    this.configPath = paths.configPath;
    this.#goodPath = paths.goodPath;
    this.#disk = disk;
  }

  /** The last config that nginx was proven to run, in this run or an earlier one. */
  get good(): Config | null {
    return this.#good;
  }

  /** The config of an earlier run: the good one, or without its copy the one in the config's place, if it is complete. */
  get found(): Config | null {
    return this.#good ?? this.#found;
  }

  /**
   * Call it once before anything else. Reads the config that an earlier run had proven and writes it over a config that
   * was not proven, since nginx may start at any moment and must not start with that one. Not when `desired` says that
   * another server or none is wanted by now: nginx must not start with a withdrawn server either.
   */
  async recover(desired: { server: Server | null } | null = null): Promise<WriteResult> {
    try {
      for (const path of [this.configPath, this.#goodPath]) await this.#disk.removeStale(path);
      this.#good = await this.#readOwn(this.#goodPath);
      this.#found = await this.#readOwn(this.configPath);
    } catch (error) {
      return { ok: false, why: diskProblem(this.#goodPath, error) };
    }
    if (this.#mustRemove || (desired !== null && desired.server === null)) {
      // A server that is known to be withdrawn must not come back, whatever is desired by the next pass.
      if (this.#found?.server) this.#found = null;
      const why = await this.withdraw();
      if (why !== null) return { ok: false, why };
    }
    if (this.#good === null || (desired !== null && !sameServer(desired.server, this.#good.server)))
      return { ok: true, changed: false };
    const restored = await this.restore(this.#good);
    this.mustReload = restored.ok && restored.changed;
    return restored;
  }

  /** Epoch ms of the last write of the config; null when that cannot be known. */
  async writtenAt(): Promise<number | null> {
    try {
      return await this.#disk.writtenAt(this.configPath);
    } catch {
      return null; // the caller has just read or written this file, and reports what goes wrong there
    }
  }

  /**
   * No server is desired: forgets and removes a good copy that names one, so that nothing can restore it, also after a
   * restart. Call it before the config without a server is written. Answers why the copy could not be removed, else null.
   */
  async withdraw(): Promise<string | null> {
    if (this.#good?.server) {
      this.#good = null;
      this.#mustRemove = true;
    }
    if (!this.#mustRemove) return null;
    try {
      await this.#disk.remove(this.#goodPath);
      this.#mustRemove = false;
      return null;
    } catch (error) {
      return diskProblem(this.#goodPath, error);
    }
  }

  /**
   * Replaces a config that names a server by `config`, which names none, although nginx refused such a config a short time ago and is
   * not told: it may start at any moment. Answers why that failed, else null.
   */
  async unpublish(config: Config): Promise<string | null> {
    try {
      if (!(await this.#readOwn(this.configPath))?.server) return null;
    } catch (error) {
      return diskProblem(this.configPath, error);
    }
    const written = await this.write(config);
    return written.ok ? null : written.why;
  }

  /** Makes the config file hold `config`. */
  async write(config: Config): Promise<WriteResult> {
    const written = await this.#put(this.configPath, config.text);
    if (written.ok || config.server !== null || !this.#good?.server) return written;
    // What must end a withdrawn server may need more room than the file has. Moving the good copy into the config's place frees the
    // room for one file and loses nothing: nginx still finds the good config until the next line replaces it.
    return (await this.#moveGood(this.#good)) ? this.#put(this.configPath, config.text) : written;
  }

  /** Writes `config` again where somebody has changed the file. `changed`: also when it was only written since `writtenAt`. */
  async writeAgain(config: Config, writtenAt: number | null): Promise<WriteResult> {
    const written = await this.write(config);
    if (!written.ok || written.changed) return written;
    return { ok: true, changed: (await this.writtenAt()) !== writtenAt };
  }

  /** Keeps `config` as the good one. It counts as good even when the copy cannot be written. */
  async keepAsGood(config: Config): Promise<WriteResult> {
    this.#good = config;
    this.#mustRemove = false;
    return this.#put(this.#goodPath, config.text);
  }

  /** Makes the config file hold the last good config. Works on a full volume too, since its copy is already there. */
  async restore(good: Config): Promise<WriteResult> {
    const written = await this.write(good);
    if (written.ok) return written;
    return (await this.#moveGood(good)) ? { ok: true, changed: true } : written;
  }

  /** Whatever else lies there (a pipe, a folder, a huge file) is no config of ours; the next one replaces it. */
  async #readOwn(path: string): Promise<Config | null> {
    try {
      const text = await this.#disk.read(path);
      return text === null ? null : readConfig(text);
    } catch (error) {
      // An error of the volume: the copy may be there all the same, so this is tried again.
      if (/^E(?!LOOP$|NXIO$)[A-Z]+$/.test(codeOf(error) ?? "")) throw error;
      return null;
    }
  }

  async #moveGood(good: Config): Promise<boolean> {
    try {
      if ((await this.#disk.read(this.#goodPath)) !== good.text) return false;
      await this.#disk.move(this.#goodPath, this.configPath);
      return true;
    } catch {
      return false; // the caller reports the error of the write, which says more
    }
  }

  async #put(path: string, text: string): Promise<WriteResult> {
    try {
      return { ok: true, changed: (await this.#disk.write(path, text, READABLE)).changed };
    } catch (error) {
      if (await this.#overwrite(path, text)) return { ok: true, changed: true };
      return { ok: false, why: diskProblem(path, error) };
    }
  }

  /** A volume that is too full for a second file must not keep nginx on a server that is dead or was left: the file itself has room. */
  async #overwrite(path: string, text: string): Promise<boolean> {
    try {
      if (!(await this.#readOwn(path))?.server) return false;
      await this.#disk.overwrite(path, text);
      return true;
    } catch {
      return false; // the caller reports the error of the write, which says more
    }
  }
}
