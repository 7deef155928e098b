// Folds the outcome of an applied config into the memory. Pure: time is an argument.
import type { Applied } from "../../common/reloader-status.ts";
import type { ApplyOutcome } from "../apply/apply.ts";
import { isLogRefusal } from "../nginx/access-log.ts";
import type { Config } from "../render/render.ts";
import type { ProxySettings } from "../render/view.ts";
import type { ReloadInput } from "./input.ts";
import type { ReloadMemory } from "./memory.ts";
import type { ReloadPlan } from "./plan-reload.ts";
import { addRefusal } from "./retry.ts";

/** The memory after `plan` was applied with `outcome`; null: the plan had no config, and the memory stays as it is. */
export function foldOutcome(
  memory: ReloadMemory,
  { upstream, proxy }: ReloadInput,
  plan: ReloadPlan,
  outcome: ApplyOutcome | null,
  now: number,
): ReloadMemory {
  const { config } = plan;
  if (config === null || outcome === null) return memory;
  const after = { ...memory, nginxDown: nginxDownAfter(memory.nginxDown, plan, outcome, now) };
  switch (outcome.kind) {
    case "settled": {
      const applied = appliedAfter(memory.applied, config, plan.serves, upstream.desired.generation);
      return { ...after, applied, refused: plan.isDesired ? null : memory.refused };
    }
    case "refused":
      return { ...after, ...refusalAfter(memory, plan.isDesired, config.hash, outcome.why, proxy, now) };
    default:
      return after;
  }
}

function nginxDownAfter(
  before: ReloadMemory["nginxDown"],
  { desired, isDesired }: ReloadPlan,
  outcome: ApplyOutcome,
  now: number,
): ReloadMemory["nginxDown"] {
  if (outcome.kind !== "nginx_down") return null;
  const { since, usedFallback } = before ?? { since: now, usedFallback: false };
  return { since, usedFallback: usedFallback || (desired.config !== null && !isDesired) };
}

/** A config that does not serve what is desired keeps the generation with which it was proven. */
function appliedAfter(before: Applied, config: Config, serves: boolean, generation: number): Applied {
  const earlier = before?.hash === config.hash ? before.generation : 0;
  return { generation: serves ? generation : earlier, server: config.server, hash: config.hash };
}

function refusalAfter(
  { refused, refusedFallback, logRefusal }: ReloadMemory,
  isDesired: boolean,
  hash: string,
  why: string,
  proxy: ProxySettings,
  now: number,
): Pick<ReloadMemory, "refused" | "refusedFallback" | "logRefusal"> {
  const message = withRemedy(why, proxy);
  return {
    refused: isDesired ? addRefusal(refused, hash, message, now) : refused,
    refusedFallback: isDesired ? refusedFallback : addRefusal(refusedFallback, hash, message, now),
    logRefusal: isLogRefusal(proxy.accessLog, why) ? why : logRefusal,
  };
}

/** nginx names the file that it cannot load, but not the setting. */
function withRemedy(why: string, { tls }: ProxySettings): string {
  if (tls.authorities === null || !why.includes(`"${tls.authorities}"`)) return why;
  return `${why}: set NGINX_UPSTREAM_TLS_CA to a PEM file of authorities in the nginx container`;
}
