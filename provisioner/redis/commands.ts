// The commands of Redis that the program uses, by who uses them. Types only.

/** The commands that the store needs of Redis. Each rejects in bounded time. */
export interface RedisCommands {
  scan(cursor: string, pattern: string): Promise<[string, string[]]>;
  mget(keys: string[]): Promise<(string | null)[]>;
  setWithTtl(key: string, value: string, ttlSeconds: number): Promise<void>;
  /** Whether it was absent. */
  setIfAbsent(key: string, value: string, ttlSeconds: number): Promise<boolean>;
  remove(key: string): Promise<void>;
  /** Adds to a counter and sets its time to live anew, in one transaction. */
  add(key: string, amount: number, ttlSeconds: number): Promise<void>;
}

/** The commands that the lease needs of Redis. Each rejects in bounded time. `mine` is what values of ours begin with. */
export interface LeaseCommands {
  get(key: string): Promise<string | null>;
  /**
   * Sets the key unless it holds a value of somebody else. Answers what it held before, and for how long that value would yet
   * have lived in ms (negative: for ever).
   */
  claim(key: string, mine: string, value: string, ttlMs: number): Promise<{ before: string | null; leftMs: number }>;
  /** Sets `key` if `guard` holds a value of ours, and answers whether it did. */
  setWhileMine(guard: string, mine: string, key: string, value: string, ttlSeconds: number): Promise<boolean>;
  /** Removes the key if it holds a value of ours. */
  removeMine(key: string, mine: string): Promise<void>;
}
