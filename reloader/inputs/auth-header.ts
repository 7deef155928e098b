// Reads the secret header from the settings and writes it to a file that only nginx' master can read. Touches the secret's
// files beside the config, through what it is given.
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Disk, systemDisk } from "../../common/disk.ts";
import { messageOf } from "../../common/errors.ts";
import { SettingsError } from "../../common/settings.ts";
import type { Header } from "../../common/variable-parsers.ts";
import { diskProblem } from "../disk-problem.ts";
import { quoteLiteral } from "../render/quote.ts";
import type { Auth } from "../render/view.ts";

export interface AuthDisk extends Pick<Disk, "read" | "write"> {
  /** The names in a folder; empty when the folder does not exist. */
  list(folder: string): Promise<readonly string[]>;
  remove(path: string): Promise<void>;
  chmod(path: string, mode: number): Promise<void>;
}

export const systemAuthDisk: AuthDisk = {
  ...systemDisk,
  list: (folder) => (existsSync(folder) ? readdir(folder) : Promise.resolve([])),
  remove: (path) => rm(path, { force: true }),
  chmod,
};

/** `usable` false: nginx cannot send the header, and `problem` says why. */
export interface AuthResult {
  auth: Auth | null;
  usable: boolean;
  problem: string | null;
}

// nginx' master reads it as the reloader's user or as root.
const PRIVATE = 0o600;

/**
 * Each secret has a separate file with a random name, and the config includes that file. So a new secret makes a new config,
 * but neither the config's bytes nor its hash reveal the secret, and the last good config keeps its file.
 */
export class AuthFile {
  readonly #prefix: string;
  readonly #folder: string;
  readonly #disk: AuthDisk;
  readonly #read: () => Header | null;
  readonly #values = new Set<string>();
  #current: { auth: Auth; text: string } | null = null;

  /** `read` answers the header that the settings have now. It throws when the header cannot be used. */
  constructor(configPath: string, disk: AuthDisk, read: () => Header | null) {
    this.#prefix = `${basename(configPath)}.auth.`;
    this.#folder = dirname(configPath);
    this.#disk = disk;
    this.#read = read;
  }

  /** Every value so far. None may be logged, and a late message may still contain an earlier value. */
  values(): readonly string[] {
    return [...this.#values];
  }

  /** Writes the file of the current secret. While the secret cannot be read, the one in use stays. */
  async refresh(): Promise<AuthResult> {
    let header: Header | null;
    try {
      header = this.#read();
    } catch (error) {
      const problem = error instanceof SettingsError ? error.problems.join(" ") : messageOf(error);
      return { auth: this.#current?.auth ?? null, usable: this.#current !== null, problem };
    }
    if (header === null) {
      this.#current = null;
      return { auth: null, usable: true, problem: null };
    }
    this.#values.add(header.value);
    const text = fileFor(header);
    let path = this.#pathFor(randomBytes(8).toString("hex"));
    try {
      path = (this.#current?.text === text ? this.#current.auth.path : await this.#pathWith(text)) ?? path;
      const { changed } = await this.#disk.write(path, text, PRIVATE);
      if (!changed) await this.#disk.chmod(path, PRIVATE); // a copy of the volume or a person may have made it readable for others
    } catch (error) {
      return { auth: null, usable: false, problem: diskProblem(path, error) };
    }
    const auth = { name: header.name, path };
    this.#current = { auth, text };
    return { auth, usable: true, problem: null };
  }

  /** What `refresh` would answer, without writing. A secret without a file gets a placeholder as its name. */
  async peek(): Promise<AuthResult> {
    const header = this.#read();
    if (header === null) return { auth: null, usable: true, problem: null };
    const path = (await this.#pathWith(fileFor(header))) ?? this.#pathFor("unwritten");
    return { auth: { name: header.name, path }, usable: true, problem: null };
  }

  /** Removes the files of earlier secrets. Call it when `config` is proven. Answers why it could not, else null. */
  async removeStale(config: string): Promise<string | null> {
    let path = this.#folder;
    try {
      for (path of await this.#paths()) {
        if (path !== this.#current?.auth.path && !config.includes(path)) await this.#disk.remove(path);
      }
      return null;
    } catch (error) {
      return diskProblem(path, error);
    }
  }

  async #pathWith(text: string): Promise<string | null> {
    for (const path of await this.#paths()) {
      const found = await this.#disk.read(path).catch(() => null); // whatever lies there is not a file of ours
      if (found === text) return path;
    }
    return null;
  }

  #pathFor(suffix: string): string {
    return join(this.#folder, `${this.#prefix}${suffix}`);
  }

  async #paths(): Promise<string[]> {
    const names = await this.#disk.list(this.#folder);
    return names.filter((name) => name.startsWith(this.#prefix)).map((name) => join(this.#folder, name));
  }
}

/** Uses `geo`, the only directive that takes a value literally: everywhere else `$` begins a variable. */
function fileFor({ value }: Header): string {
  return `# Written by vast-reloader. Secret.\ngeo $vast_pod_auth {\n  default ${quoteLiteral("UPSTREAM_AUTH_HEADER", value)};\n}\n`;
}
