// Decides which directives the running nginx knows, and remembers its version. Touches only what it is given.
import type { Master } from "./master.ts";

/** True from 1.27.4 on, which has `keepalive_min_timeout`. An unknown version counts as an old one. */
export function keepsIdleClients(version: string | null): boolean {
  const [, major, minor, patch] = /^(\d+)\.(\d+)\.(\d+)/.exec(version ?? "") ?? [];
  if (major === undefined) return false;
  const [a, b, c] = [Number(major), Number(minor), Number(patch)];
  return a > 1 || (a === 1 && (b > 27 || (b === 27 && c >= 4)));
}

export interface VersionParts {
  findMaster(): Promise<Master>;
  /** The version from nginx' status port; null when it does not answer one. */
  fetchVersion(): Promise<string | null>;
}

/**
 * The version of the running nginx; null while none runs or it has not answered. nginx does not start with a directive that
 * it does not know, so the version is forgotten with its master: the next nginx may be older.
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
