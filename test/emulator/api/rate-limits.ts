// The API's rate limits: a minimum time between two calls of one endpoint by one identity. Changes only the record of calls.
import { type ApiResponse, json, refusal, text } from "../message.ts";
import type { World } from "../world.ts";

/** Documented thresholds, seconds; `penaltySeconds` is how long a violation locks out, `perMinute` a count instead of an interval. */
export interface RateRule {
  name: string;
  thresholdSeconds: number;
  penaltySeconds?: number;
  perMinute?: number;
  /** Counted for the caller's address only, whatever the key. */
  perAddress?: boolean;
}

/** One rule for each endpoint, shared by all ids. */
export const RATE_RULES = {
  create: { name: "PUT asks", thresholdSeconds: 4.5, penaltySeconds: 12 },
  show: { name: "GET instance", thresholdSeconds: 2 },
  list: { name: "GET instances", thresholdSeconds: 1 },
  manage: { name: "PUT instance", thresholdSeconds: 1 },
  reboot: { name: "PUT reboot", thresholdSeconds: 1 },
  recycle: { name: "PUT recycle", thresholdSeconds: 1 },
  destroy: { name: "DELETE instance", thresholdSeconds: 3 },
  bid: { name: "PUT bid_price", thresholdSeconds: 5.5 },
  command: { name: "PUT command", thresholdSeconds: 1.5 },
  update: { name: "PUT update_template", thresholdSeconds: 2 },
  prices: { name: "GET pending-price-increases", thresholdSeconds: 2 },
  charges: { name: "GET charges", thresholdSeconds: 1 },
  templates: { name: "GET template", thresholdSeconds: 3 },
  search: { name: "bundles", thresholdSeconds: 6, perMinute: 10, perAddress: true },
} as const satisfies Record<string, RateRule>;

/** A 429 when the call comes too soon, else null. A refused call does not count as one. */
export function throttle(world: World, rule: RateRule, caller: { key: string; address: string }): ApiResponse | null {
  const { rateLimits } = world.settings;
  if (rateLimits === "off") return null;
  // The caller's seconds pass slower than the emulator's by the time scale.
  const secondMs = 1000 * (rateLimits === "on" ? world.timeScale : 1);
  const key = `${rule.name} ${rule.perAddress ? "" : caller.key} ${caller.address}`;
  const known = world.rates.get(key) ?? { lastAt: Number.NEGATIVE_INFINITY, blockedUntil: 0, recent: [] };
  world.rates.set(key, known);
  if (rule.perMinute !== undefined) {
    known.recent = known.recent.filter((at) => world.time - at < 60 * secondMs);
    const oldest = known.recent[0];
    if (known.recent.length >= rule.perMinute && oldest !== undefined) {
      return tooFrequent(world, rule, oldest + 60 * secondMs - world.time, secondMs);
    }
    known.recent.push(world.time);
    return null;
  }
  const freeAt = Math.max(known.lastAt + rule.thresholdSeconds * secondMs, known.blockedUntil);
  if (world.time < freeAt) {
    if (rule.penaltySeconds !== undefined) known.blockedUntil = world.time + rule.penaltySeconds * secondMs;
    return tooFrequent(world, rule, Math.max(freeAt, known.blockedUntil) - world.time, secondMs);
  }
  known.lastAt = world.time;
  return null;
}

/** The bodies that have been observed or are documented. There is no Retry-After header. */
function tooFrequent(world: World, rule: RateRule, waitMs: number, secondMs: number): ApiResponse {
  const threshold = rule.thresholdSeconds.toFixed(1);
  switch (world.settings.rateLimitBody) {
    case "plain":
      return text(429, "API requests too frequent");
    case "product":
      return text(429, `API requests too frequent: endpoint threshold=${threshold}*1.0`);
    case "detail":
      return json(429, { detail: `API requests too frequent endpoint threshold=${threshold}` });
    case "main":
      return refusal(429, "rate_limit_exceeded", `API requests too frequent endpoint threshold=${threshold}`);
    case "retry-after":
      return json(429, { detail: "too frequent", retry_after: Math.ceil(waitMs / secondMs) });
  }
}
