// The Redis commands that the program uses, grouped by user. Types only.

/** The commands of the ban store. Each rejects within a bounded time. */
export interface RedisCommands {
  scan(cursor: string, pattern: string): Promise<[string, string[]]>;
  mget(keys: string[]): Promise<(string | null)[]>;
  setWithTtl(key: string, value: string, ttlSeconds: number): Promise<void>;
  /** Returns true when the key did not exist and was set. */
  setIfAbsent(key: string, value: string, ttlSeconds: number): Promise<boolean>;
  remove(key: string): Promise<void>;
  /** Adds to a counter and restarts its time to live, in one transaction. */
  add(key: string, amount: number, ttlSeconds: number): Promise<void>;
}

/** What a key holds, or held before a change, and its remaining time to live in ms (negative: it never expires). */
export interface HeldKey {
  value: string | null;
  leftMs: number;
}

/** The commands of the lease. Each rejects within a bounded time. `mine` is the prefix of this provisioner's values. */
export interface LeaseCommands extends Pick<RedisCommands, "mget"> {
  /** Sets the key unless it holds another provisioner's value. Returns what it held before. */
  claim(key: string, mine: string, value: string, ttlMs: number): Promise<HeldKey>;
  peek(key: string): Promise<HeldKey>;
  /**
   * Sets `key` if `guard`, which is in the same slot of a Cluster, holds one of this provisioner's values; `guard` lives `guardTtlMs` from
   * then on. Returns whether it did.
   */
  setWhileMine(
    guard: string,
    mine: string,
    key: string,
    value: string,
    ttlSeconds: number,
    guardTtlMs: number,
  ): Promise<boolean>;
  /** Removes the key if it holds one of this provisioner's values. */
  removeMine(key: string, mine: string): Promise<void>;
}

/** A Lua script: atomic for all clients of the server. Its keys have one hash tag, so that a Cluster has them in one slot. */
export interface RedisScript {
  name: string;
  lua: string;
  /** What a success proves about the server: a script that only reads works on a full or read-only one, too. */
  proves: "reading" | "writing";
}

/** Runs scripts. Rejects within a bounded time. The answer is as Redis gives it: the caller checks its shape. */
export interface ScriptRunner {
  evaluate(script: RedisScript, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
}
