import type { LeaseCommands } from "../../../../provisioner/redis/commands.ts";

// A fake Redis for tests of the lease: several provisioners may share it, and a test sets which commands fail. Holds only memory.

export interface FakeRedis extends LeaseCommands {
  readonly entries: Map<string, { value: string; until: number }>;
  /** The commands that fail now, and their error. */
  failing: { readonly commands: readonly (keyof LeaseCommands)[]; readonly message: string };
  /** Every command, in order. */
  readonly commands: string[];
}

export const EVERY_COMMAND: readonly (keyof LeaseCommands)[] = ["mget", "claim", "peek", "setWhileMine", "removeMine"];

export function fakeRedis(now: () => number): FakeRedis {
  const entries: FakeRedis["entries"] = new Map();
  const get = (key: string) => {
    const entry = entries.get(key);
    return entry !== undefined && entry.until > now() ? entry.value : null;
  };
  const held = (key: string) => {
    const value = get(key);
    const leftMs = value === null ? -2 : (entries.get(key)?.until ?? 0) - now();
    return { value, leftMs: leftMs === Number.POSITIVE_INFINITY ? -1 : leftMs };
  };
  const isMine = (key: string, mine: string) => get(key)?.startsWith(mine) === true;
  const record = (command: keyof LeaseCommands) => {
    redis.commands.push(command);
    if (redis.failing.commands.includes(command)) throw new Error(redis.failing.message);
  };
  const redis: FakeRedis = {
    entries,
    failing: { commands: [], message: "" },
    commands: [],
    async mget(keys) {
      record("mget");
      return keys.map(get);
    },
    async claim(key, mine, value, ttlMs) {
      record("claim");
      const before = held(key);
      if (before.value === null || before.value.startsWith(mine)) entries.set(key, { value, until: now() + ttlMs });
      return before;
    },
    async peek(key) {
      record("peek");
      return held(key);
    },
    async setWhileMine(guard, mine, key, value, ttlSeconds, guardTtlMs) {
      record("setWhileMine");
      const held = isMine(guard, mine);
      if (!held) return false;
      entries.set(key, { value, until: now() + ttlSeconds * 1000 });
      entries.set(guard, { value: get(guard) ?? "", until: now() + guardTtlMs });
      return true;
    },
    async removeMine(key, mine) {
      record("removeMine");
      if (isMine(key, mine)) entries.delete(key);
    },
  };
  return redis;
}
