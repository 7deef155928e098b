// Decides what the running nginx can do by its version, and remembers that version. Touches only what it is given.
import type { Master } from "./master.ts";

/** True from 1.27.4 on, which knows `keepalive_min_timeout`. Unknown versions are taken for old ones. */
export function keepsIdleClients(version: string | null): boolean {
  const [, major, minor, patch] = /^(\d+)\.(\d+)\.(\d+)/.exec(version ?? "") ?? [];
  if (major === undefined) return false;
  const [a, b, c] = [Number(major), Number(minor), Number(patch)];
  return a > 1 || (a === 1 && (b > 27 || (b === 27 && c >= 4)));
}

export interface VersionParts {
  findMaster(): Promise<Master>;
  /** What nginx' status port answers; null when it answers nothing of the kind. */
  fetchVersion(): Promise<string | null>;
}

/**
 * The version of the nginx that runs, null while none does or none has told. A directive that nginx does not know would
 * keep it from starting, so a version is forgotten with the master that told it: the one that starts next may be older.
 */
export class KnownVersion {
  readonly #parts: VersionParts;
  #known: { version: string; master: number } | null = null;

  constructor(parts: VersionParts) {
    this.#parts = parts;
  }

  async current(): Promise<string | null> {
    const master = await this.#parts.findMaster();
    if (master.found === "several") return this.#known?.version ?? null;
    if (master.found === "none") {
      this.#known = null;
      return null;
    }
    if (this.#known?.master !== master.pid) {
      const version = await this.#parts.fetchVersion();
      this.#known = version === null ? null : { version, master: master.pid };
    }
    return this.#known?.version ?? null;
  }
}
