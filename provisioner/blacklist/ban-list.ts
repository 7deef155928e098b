// The bans as an operator lists, adds and removes them: with their end. Touches Redis through the commands that it is given.
import type { Clock } from "../../common/clock.ts";
import { withDeadline } from "../../common/clock.ts";
import type { Ban } from "../model/observation.ts";
import type { LeaseCommands, RedisCommands } from "../redis/commands.ts";
import { banIn, banKey, findBanKeys } from "./ban-keys.ts";

/** `until`: epoch ms; null: it stays until somebody removes it. */
export interface BanWithEnd extends Ban {
  until: number | null;
}

export type BanListCommands = Pick<RedisCommands, "scan" | "setWithTtl" | "remove"> & Pick<LeaseCommands, "peek">;
type Target = Pick<Ban, "kind" | "id">;

// A person waits: ten times what a provisioner allows itself in a database full of other programs' keys.
const LIST_DEADLINE_MS = 30_000;

/** By kind and id. Rejects with the client's error. */
export async function listBans(redis: BanListCommands, clock: Clock): Promise<BanWithEnd[]> {
  const keys = await withDeadline(clock, LIST_DEADLINE_MS, undefined, (deadline) => findBanKeys(redis, deadline));
  const held = await Promise.all(keys.map(async (key) => ({ key, ...(await redis.peek(key.key)) })));
  return held
    .flatMap(({ key, value, leftMs }) => {
      const ban = banIn(key, value);
      return ban === null ? [] : [{ ...ban, until: leftMs < 0 ? null : clock.now() + leftMs }];
    })
    .sort((a, b) => (a.kind === b.kind ? a.id - b.id : a.kind < b.kind ? -1 : 1));
}

/** Replaces an earlier ban of the same host or machine. */
export async function addBan(redis: BanListCommands, ban: Ban, ttlSeconds: number): Promise<void> {
  await redis.setWithTtl(banKey(ban), ban.reason, ttlSeconds);
}

/** False: there was no such ban. */
export async function removeBan(redis: BanListCommands, target: Target): Promise<boolean> {
  const { value } = await redis.peek(banKey(target));
  if (value !== null) await redis.remove(banKey(target));
  return value !== null;
}
