// The settings of `template`. Touches the files with secrets.
import { readSettings, type SettingsSource } from "../../common/settings.ts";
import type { RedisAddress } from "../redis/address.ts";
import { passwordsIn } from "../redis/url.ts";
import { BANS_REDIS, FLEET_REDIS, readFleetRedis } from "../settings.ts";
import { PROVISIONER_VARIABLES } from "../variables.ts";

export const TEMPLATE_COMMAND_SETTINGS = [
  "VAST_API_KEY",
  "VAST_URL",
  "VAST_TEMPLATE_NAME",
  "VAST_TEMPLATE_FILE",
  ...FLEET_REDIS,
  ...BANS_REDIS,
] as const;

export interface TemplateCommandSettings {
  apiKey: string;
  vastUrl: string;
  templateName: string;
  /** Undefined: none is named. */
  templatePath: string | undefined;
  /** The Redis that the pods of the account share; null without one. */
  redis: RedisAddress | null;
  secrets: readonly string[];
}

/** Throws a `SettingsError` with all problems. */
export function readTemplateCommandSettings(source: SettingsSource): TemplateCommandSettings {
  const { values: v } = readSettings(PROVISIONER_VARIABLES, source, [
    "VAST_API_KEY",
    "VAST_URL",
    "VAST_TEMPLATE_NAME",
    "VAST_TEMPLATE_FILE",
  ]);
  const redis = readFleetRedis(source);
  return {
    apiKey: v.VAST_API_KEY,
    vastUrl: v.VAST_URL,
    templateName: v.VAST_TEMPLATE_NAME,
    templatePath: v.VAST_TEMPLATE_FILE,
    redis,
    secrets: [v.VAST_API_KEY, ...(redis === null ? [] : passwordsIn(redis.target))],
  };
}
