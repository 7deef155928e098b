// The Redis keys of bans, and how all of them are found. Touches Redis through the commands that it is given.
import type { Ban, BanKind } from "../model/observation.ts";
import type { RedisCommands } from "../redis/commands.ts";

// Earlier deployments use the same keys, so their data continues to count.
const BAN_PREFIX = { host: "ban_", machine: "ban_machine_" } as const;
// Bans can be written by hand, and the reason appears in messages.
const MAX_REASON_LENGTH = 100;

export interface BanKey {
  key: string;
  kind: BanKind;
  id: number;
}

export const banKey = ({ kind, id }: Pick<Ban, "kind" | "id">) => `${BAN_PREFIX[kind]}${id}`;

/** The ban that a key with this value is; null when the key has expired meanwhile. */
export function banIn({ kind, id }: BanKey, value: string | null | undefined): Ban | null {
  return value === null || value === undefined ? null : { kind, id, reason: value.slice(0, MAX_REASON_LENGTH) };
}

/** The keys of all bans. Rejects when it cannot read all of them, and soon after `deadline` is aborted. */
export async function findBanKeys(redis: Pick<RedisCommands, "scan">, deadline: AbortSignal): Promise<BanKey[]> {
  const keys = new Set<string>();
  let cursor = "0";
  do {
    // SCAN, never KEYS: the database may be shared and large, and KEYS blocks all other clients.
    const [next, found] = await redis.scan(cursor, "ban_*");
    for (const key of found) keys.add(key);
    cursor = next;
    deadline.throwIfAborted(); // the caller no longer waits
  } while (cursor !== "0");
  return [...keys].flatMap((key) => parseBanKey(key) ?? []);
}

/** Null for a similar key that is not a ban. */
function parseBanKey(key: string): BanKey | null {
  const [, machine, id] = /^ban_(machine_)?(\d{1,15})$/.exec(key) ?? [];
  return id === undefined ? null : { key, kind: machine === undefined ? "host" : "machine", id: Number(id) };
}
