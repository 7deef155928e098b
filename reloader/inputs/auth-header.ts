// The secret header on its way to nginx: read, and laid on the disk for nginx alone to read. Touches the files beside the
// config that hold it, through what it is given.
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Disk, systemDisk } from "../../common/disk.ts";
import { SettingsError } from "../../common/settings.ts";
import type { Header } from "../../common/variable-parsers.ts";
import { diskProblem } from "../disk-problem.ts";
import { quoteLiteral } from "../render/quote.ts";
import type { Auth } from "../render/view.ts";

export interface AuthDisk extends Pick<Disk, "read" | "write"> {
  /** The names in a folder; none when it is not there. */
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

/** `usable` false: nginx cannot be given what the setting says, and `problem` says why. */
export interface AuthResult {
  auth: Auth | null;
  usable: boolean;
  problem: string | null;
}

// nginx' master reads it as the reloader's own user, or as root.
const PRIVATE = 0o600;

/**
 * Each secret has a file of its own with a random name. A config names the file, so that a new secret makes a new config
 * while neither its bytes nor its hash tell anything of the secret, and the last good config keeps its file for as long
 * as it is the good one.
 */
export class AuthFile {
  readonly #prefix: string;
  readonly #folder: string;
  readonly #disk: AuthDisk;
  readonly #read: () => Header | null;
  readonly #values = new Set<string>();
  #current: { auth: Auth; text: string } | null = null;

  /** `read` answers the header as the settings have it now, and throws when that cannot be used. */
  constructor(configPath: string, disk: AuthDisk, read: () => Header | null) {
    this.#prefix = `${basename(configPath)}.auth.`;
    this.#folder = dirname(configPath);
    this.#disk = disk;
    this.#read = read;
  }

  /** Every value so far, as none may be printed: a late message may still carry a former one. */
  values(): readonly string[] {
    return [...this.#values];
  }

  /** Makes the disk hold what the setting says. A secret that cannot be read keeps the one in use. */
  async refresh(): Promise<AuthResult> {
    let header: Header | null;
    try {
      header = this.#read();
    } catch (error) {
      const problem = error instanceof SettingsError ? error.problems.join(" ") : String(error);
      return { auth: this.#current?.auth ?? null, usable: this.#current !== null, problem };
    }
    if (header === null) {
      this.#current = null;
      return { auth: null, usable: true, problem: null };
    }
    this.#values.add(header.value);
    const text = fileFor(header);
    let path = this.#pathOf(randomBytes(8).toString("hex"));
    try {
      path = (this.#current?.text === text ? this.#current.auth.path : await this.#find(text)) ?? path;
      const { changed } = await this.#disk.write(path, text, PRIVATE);
      if (!changed) await this.#disk.chmod(path, PRIVATE); // a copied volume or a hand may have opened it to others
    } catch (error) {
      return { auth: null, usable: false, problem: diskProblem(path, error) };
    }
    const auth = { name: header.name, path };
    this.#current = { auth, text };
    return { auth, usable: true, problem: null };
  }

  /** What `refresh` would answer, without a write: a secret that has no file yet has no name yet either. */
  async peek(): Promise<AuthResult> {
    const header = this.#read();
    if (header === null) return { auth: null, usable: true, problem: null };
    const path = (await this.#find(fileFor(header))) ?? this.#pathOf("unwritten");
    return { auth: { name: header.name, path }, usable: true, problem: null };
  }

  /** Removes the files of former secrets once `config` is proven, as no other one is needed then. Answers what hinders it. */
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

  async #find(text: string): Promise<string | null> {
    for (const path of await this.#paths()) if ((await this.#disk.read(path)) === text) return path;
    return null;
  }

  #pathOf(ending: string): string {
    return join(this.#folder, `${this.#prefix}${ending}`);
  }

  async #paths(): Promise<string[]> {
    const names = await this.#disk.list(this.#folder);
    return names.filter((name) => name.startsWith(this.#prefix)).map((name) => join(this.#folder, name));
  }
}

/** `geo`, since it alone takes a value as it stands: everywhere else `$` begins a variable. */
function fileFor({ value }: Header): string {
  return `# Written by vast-reloader. Secret.\ngeo $vast_pod_auth {\n  default ${quoteLiteral("UPSTREAM_AUTH_HEADER", value)};\n}\n`;
}
