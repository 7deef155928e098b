// Decides what one pass does: which config nginx is to run now and what its 503 answers say. Pure: time is an argument.
import type { StatePage } from "../inputs/upstream.ts";
import type { Config } from "../render/render.ts";
import { type DesiredConfig, desiredConfig, unavailablePage } from "./desired-config.ts";
import type { ReloadInput } from "./input.ts";
import type { ReloadMemory } from "./memory.ts";
import { configForNextStart } from "./next-start.ts";
import { mustWait } from "./retry.ts";

export interface ReloadPlan {
  desired: DesiredConfig;
  /** The config to apply now. Null: every config that could be applied was refused a short time ago. */
  config: Config | null;
  /** `config` is the desired one. */
  isDesired: boolean;
  /** `config` serves what is desired. "No server" may also come from the built-in template. */
  serves: boolean;
  /** The body of the 503 answers to write now; null when `config` does not answer 503. */
  page: StatePage | null;
}

export function planReload(input: ReloadInput, memory: ReloadMemory, now: number): ReloadPlan {
  const desired = desiredConfig(input, memory.logRefusal);
  const config = chooseConfig(desired, input.good, memory, now);
  const isDesired = config !== null && config.hash === desired.config?.hash;
  const isUnserved = desired.config !== null && !isDesired && !desired.withdraws;
  const page = isUnserved ? unavailablePage(desired.page) : desired.page;
  return {
    desired,
    config,
    isDesired,
    serves: isDesired || (desired.withdraws && config?.server === null),
    page: config?.server === null ? page : null,
  };
}

/**
 * The first of these that nginx did not refuse a short time ago:
 *
 * | situation                                   | first                  | fallback               |
 * |---------------------------------------------|------------------------|------------------------|
 * | a server is desired, its config is known    | its config             | the good one, else 503 |
 * | a server is desired, its config is unknown  | the good one, else 503 | none                   |
 * | no server is desired                        | its config, else 503   | 503                    |
 *
 * While nginx is down the first one alternates with a safer one, see `configForNextStart`.
 */
function chooseConfig(desired: DesiredConfig, good: Config | null, memory: ReloadMemory, now: number): Config | null {
  const { unavailableConfig, withdraws } = desired;
  const config = desired.config ?? (withdraws ? unavailableConfig : (good ?? unavailableConfig));
  const waits = ({ hash }: Config) =>
    mustWait(memory.refused, hash, now) || mustWait(memory.refusedFallback, hash, now);
  if (!waits(config)) {
    const { nginxDown } = memory;
    if (nginxDown === null) return config;
    return configForNextStart({ config, good, unavailableConfig, nginxDownSince: nginxDown.since, now });
  }
  // When no server is desired, only 503 is left: a faulty template of the user must not keep a withdrawn server published.
  // nginx' message cannot decide whether the template is at fault: for a file that it cannot open or a port that it
  // cannot bind, nginx names no place in the config.
  const fallback = good === null || withdraws ? unavailableConfig : good;
  return fallback.hash === config.hash || waits(fallback) ? null : fallback;
}
