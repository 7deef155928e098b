// Decides which config is on the disk while nginx does not start. Pure: time is an argument.
import { sameServer } from "../../common/upstream-file.ts";
import type { Config } from "../render/render.ts";

// An image is pulled and a container started in less time. After that the config may be the reason why nginx exits at each
// start. Nothing shows that, because nginx writes its error log only after it has read the log's path from the config.
export const ALTERNATE_EVERY_MS = 60_000;

export interface NextStartInput {
  /** The desired config, or what is applied in its place. */
  config: Config;
  /** The last config that nginx was proven to run. */
  good: Config | null;
  /** Answers 503. */
  unavailableConfig: Config;
  /** Since when nginx is down, by the monotonic clock. */
  nginxDownSince: number;
  now: number;
}

/**
 * The desired config, and in every second minute a safer one, so that neither can keep nginx down forever. Safer is the good
 * config if it serves the same server. Another server may belong to another customer by now: then safer is the config that
 * answers 503.
 */
export function configForNextStart({
  config,
  good,
  unavailableConfig,
  nginxDownSince: absentSince,
  now,
}: NextStartInput): Config {
  if (Math.floor((now - absentSince) / ALTERNATE_EVERY_MS) % 2 === 0) return config;
  return good !== null && sameServer(good.server, config.server) ? good : unavailableConfig;
}
