// Whether each Redis of the settings answers, takes writes, which bans it holds, and who holds the label's lease. Touches Redis: it
// writes one key of its own, which expires at once.
import { type Clock, withDeadline } from "../../common/clock.ts";
import type { BanStore } from "../blacklist/store.ts";
import { fleetKeys } from "../fleet/keys.ts";
import type { Ban, Seen } from "../model/observation.ts";
import type { RedisAddress, RedisAddresses } from "../redis/address.ts";
import type { RedisConnection } from "../redis/connection.ts";
import { explainTrouble, troubleOf } from "../redis/trouble.ts";
import type { RedisTarget } from "../redis/url.ts";
import { type Finding, fail, ok, skip } from "./findings.ts";

export interface RedisParts {
  addresses: RedisAddresses;
  clock: Clock;
  connect(address: RedisAddress): Promise<RedisConnection>;
  /** The bans in the Redis of `address`. */
  banStore(redis: RedisConnection, address: RedisAddress): BanStore;
  /** Null: unknown. */
  accountId: Promise<number | null>;
  label: string | null;
}

export interface RedisResult {
  findings: Finding[];
  bans: Seen<readonly Ban[]>;
}

// A command of the client rejects within some seconds.
const PER_REDIS_MS = 10_000;
const SHORTEST_TTL_SECONDS = 1;
const NONE =
  "none is configured: no bans, no lease, and this pod takes no turns with others (FLEET_REDIS_URL, BLACKLIST_ENABLED)";

export async function checkRedis(parts: RedisParts, signal: AbortSignal): Promise<RedisResult> {
  const { bans, fleet } = parts.addresses;
  const noBans: Seen<readonly Ban[]> = { known: true, value: [] };
  const different = [...new Set([fleet, bans])].filter((address) => address !== null);
  if (different.length === 0) return { findings: [skip("redis", NONE)], bans: noBans };
  const results = await Promise.all(different.map((address) => checkOne(parts, address, signal)));
  return {
    findings: results.map(({ finding }) => finding),
    bans: results.find((one) => one.bans !== null)?.bans ?? noBans,
  };
}

async function checkOne(
  parts: RedisParts,
  address: RedisAddress,
  signal: AbortSignal,
): Promise<{ finding: Finding; bans: Seen<readonly Ban[]> | null }> {
  const name = targetName(address.target);
  const redis = await parts.connect(address);
  try {
    return await withDeadline(parts.clock, PER_REDIS_MS, signal, async () => {
      const accountId = await parts.accountId;
      const keys = fleetKeys(accountId ?? 0);
      const facts: string[] = [];
      await redis.setWithTtl(keys.doctor, "1", SHORTEST_TTL_SECONDS);
      let bans: Seen<readonly Ban[]> | null = null;
      if (address.holds !== "fleet") {
        bans = await parts.banStore(redis, address).bans();
        facts.push(bans.known ? `${bans.value.length} bans` : `the bans are unknown (${bans.why.message})`);
      }
      if (address.holds !== "bans") facts.push(await leaseText(redis, keys.lease, parts.label, accountId));
      return { finding: ok("redis", `${name}: ${facts.join(", ")}`), bans };
    });
  } catch (error) {
    const { message, remedy } = explainTrouble(troubleOf(error), address.variable);
    const bans: Seen<readonly Ban[]> = { known: false, why: { message, account: null } };
    return { finding: fail("redis", `${name}: ${message}`, remedy), bans };
  } finally {
    redis.close();
  }
}

async function leaseText(
  redis: RedisConnection,
  leaseOf: (label: string) => string,
  label: string | null,
  accountId: number | null,
): Promise<string> {
  if (label === null || accountId === null) return "who holds the label's lease is unknown";
  const { value } = await redis.peek(leaseOf(label));
  const owner = value?.replace(/^\S* /, "");
  return owner === undefined ? `nobody holds the lease of ${label}` : `the lease of ${label} is held by ${owner}`;
}

/** The address without a login. */
function targetName(target: RedisTarget): string {
  const at = ({ host, port }: { host: string; port: number }) => `${host}:${port}`;
  switch (target.kind) {
    case "server":
      return `${at(target.server)}/${target.database}`;
    case "sentinel":
      return `${target.primary} of the Sentinels ${target.sentinels.map(at).join(", ")}`;
    case "cluster":
      return `the Cluster of ${target.nodes.map(at).join(", ")}`;
  }
}
