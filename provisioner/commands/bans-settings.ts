// The settings of `bans`. Touches the files with secrets.
import { readSettings, type SettingsSource } from "../../common/settings.ts";
import type { BanKind } from "../model/observation.ts";
import type { RedisAddress } from "../redis/address.ts";
import { withPassword } from "../settings.ts";
import { PROVISIONER_VARIABLES } from "../variables.ts";

export const BANS_SETTINGS = [
  "BLACKLIST_REDIS_URL",
  "BLACKLIST_REDIS_PASSWORD",
  "BLACKLIST_ENABLED",
  "BLACKLIST_SCOPE",
  "BLACKLIST_BAN_TTL_SECONDS",
] as const;

export interface BansSettings {
  redis: RedisAddress;
  /** Whether pods with these settings heed bans. */
  enabled: boolean;
  scope: BanKind;
  ttlSeconds: number;
}

/** The settings of `bans`: its Redis is read whether or not bans are enabled here. Throws a `SettingsError` with all problems. */
export function readBansSettings(source: SettingsSource): BansSettings {
  const { values: v } = readSettings(PROVISIONER_VARIABLES, source, BANS_SETTINGS);
  const target = withPassword("BLACKLIST_REDIS", v.BLACKLIST_REDIS_URL, v.BLACKLIST_REDIS_PASSWORD);
  return {
    redis: { target, variable: "BLACKLIST_REDIS_URL", holds: "bans" },
    enabled: v.BLACKLIST_ENABLED,
    scope: v.BLACKLIST_SCOPE,
    ttlSeconds: v.BLACKLIST_BAN_TTL_SECONDS,
  };
}
