// The Redis that all pods share, in memory and in virtual time, with the commands for bans and leases. Pure.
import type { RedisConnection } from "../../provisioner/redis/connection.ts";
import { SCRIPTS } from "./redis-scripts.ts";
import type { ScriptValues } from "./script.ts";

export interface SharedRedis {
  /** While true every command fails after a second, as with an unreachable server. */
  away: boolean;
  flush(): void;
  /** Commands and scripts so far, from all pods. */
  operations(): number;
  /** What a key holds, whether Redis can be reached or not. */
  peek(key: string): string | null;
  /** `sleep` belongs to the process: for a dead one it never returns. */
  connect(sleep: (ms: number) => Promise<void>): RedisConnection;
}

// The connection's timeout for one command.
const COMMAND_TIMEOUT_MS = 1000;

export function sharedRedis(now: () => number): SharedRedis {
  const values: ScriptValues = new Map();
  const entries = new Map<string, { value: string; until: number }>();
  const get = (key: string): string | null => {
    const entry = entries.get(key);
    if (entry === undefined) return null;
    if (entry.until > now()) return entry.value;
    entries.delete(key);
    return null;
  };
  const set = (key: string, value: string, ttlSeconds: number) => {
    entries.set(key, { value, until: now() + ttlSeconds * 1000 });
  };
  const held = (key: string) => ({ value: get(key), leftMs: (entries.get(key)?.until ?? now()) - now() });
  const isMine = (key: string, mine: string) => get(key)?.startsWith(mine) === true;
  let operations = 0;
  const redis: SharedRedis = {
    away: false,
    operations: () => operations,
    flush() {
      entries.clear();
      values.clear();
    },
    peek: get,
    connect(sleep) {
      const reached = async () => {
        operations += 1;
        if (!redis.away) return;
        await sleep(COMMAND_TIMEOUT_MS);
        throw new Error("Command timed out");
      };
      return {
        async scan(_, pattern) {
          await reached();
          const prefix = pattern.replace(/\*$/, "");
          return ["0", [...entries.keys()].filter((key) => key.startsWith(prefix) && get(key) !== null).sort()];
        },
        async mget(keys) {
          await reached();
          return keys.map(get);
        },
        async setWithTtl(key, value, ttlSeconds) {
          await reached();
          set(key, value, ttlSeconds);
        },
        async setIfAbsent(key, value, ttlSeconds) {
          await reached();
          const absent = get(key) === null;
          if (absent) set(key, value, ttlSeconds);
          return absent;
        },
        async remove(key) {
          await reached();
          entries.delete(key);
        },
        async add(key, amount, ttlSeconds) {
          await reached();
          set(key, String(Number(get(key) ?? 0) + amount), ttlSeconds);
        },
        health: { up: () => !redis.away, failures: () => new Map() },
        async claim(key, mine, value, ttlMs) {
          await reached();
          const before = held(key);
          if (before.value === null || before.value.startsWith(mine)) set(key, value, ttlMs / 1000);
          return before;
        },
        async peek(key) {
          await reached();
          return held(key);
        },
        async setWhileMine(guard, mine, key, value, ttlSeconds, guardTtlMs) {
          await reached();
          const held = isMine(guard, mine);
          if (!held) return false;
          set(key, value, ttlSeconds);
          set(guard, get(guard) ?? "", guardTtlMs / 1000);
          return true;
        },
        async removeMine(key, mine) {
          await reached();
          if (isMine(key, mine)) entries.delete(key);
        },
        async evaluate({ name }, keys, args) {
          await reached();
          const script = SCRIPTS[name];
          if (script === undefined) throw new Error(`the simulated Redis has no script "${name}"`);
          return script(values, keys, args, now());
        },
        close: () => undefined,
      };
    },
  };
  return redis;
}
