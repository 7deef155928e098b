// Which Redis holds what, and which setting names it. Pure.
import { isDeepStrictEqual } from "node:util";
import type { RedisTarget } from "./url.ts";

export interface RedisAddress {
  target: RedisTarget;
  /** The setting that messages name. */
  variable: "FLEET_REDIS_URL" | "BLACKLIST_REDIS_URL";
  holds: "bans" | "fleet" | "both";
}

/** Both are one object where one Redis has both. */
export interface RedisAddresses {
  bans: RedisAddress | null;
  /** Leases, copies of the state, and what the pods of the account share. */
  fleet: RedisAddress | null;
}

/** The fleet is in its own Redis, else in that of the bans. */
export function redisAddresses(fleet: RedisTarget | null, bans: RedisTarget | null): RedisAddresses {
  const inFleet = (target: RedisTarget): RedisAddress => ({ target, variable: "FLEET_REDIS_URL", holds: "fleet" });
  if (bans === null) return { bans: null, fleet: fleet === null ? null : inFleet(fleet) };
  if (fleet === null || isDeepStrictEqual(fleet, bans)) {
    const both: RedisAddress = { target: bans, variable: "BLACKLIST_REDIS_URL", holds: "both" };
    return { bans: both, fleet: both };
  }
  return { bans: { target: bans, variable: "BLACKLIST_REDIS_URL", holds: "bans" }, fleet: inFleet(fleet) };
}
