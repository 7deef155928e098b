// Which config lies on the disk for a start of nginx that does not come. Pure: time is an argument.
import { sameServer } from "../../common/upstream-file.ts";
import type { Config } from "../render/render.ts";

// An image is pulled and a container started within less. Longer and the config may be what ends nginx at each start:
// nothing shows it, since nginx writes its error log only once it has read where that is.
export const ALTERNATE_EVERY_MS = 60_000;

export interface NextStartInput {
  /** What is wanted. */
  config: Config;
  /** The last config that nginx was proven to run. */
  good: Config | null;
  /** Answers 503. */
  unavailableConfig: Config;
  /** Epoch ms since when there is no nginx. */
  nginxDownSince: number;
  now: number;
}

/**
 * The wanted config, and in each second minute a safer one, so that neither can keep nginx down for ever: the good one
 * unless it serves another server, which may belong to a stranger by now, else the one without a server.
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
