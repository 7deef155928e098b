// Opens the connections to Redis that the settings name. Touches the network.
import type { Clock } from "../../common/clock.ts";
import type { Logger } from "../../common/logging.ts";
import type { RedisAddress, RedisAddresses } from "./address.ts";
import type { RedisConnection } from "./connection.ts";
import type { RedisHealth } from "./outages.ts";
import type { RedisTrouble } from "./trouble.ts";

const COMMAND_ANSWER_MS = 5000;

/**
 * Connects in the background; see `connectRedis`. The Redis client is loaded only when it is needed: it costs 12 MB and 20 ms, and a pod
 * without Redis does not need it.
 */
export async function openRedis(address: RedisAddress, log: Logger, clock: Clock): Promise<RedisConnection> {
  const { connectRedis } = await import("./connection.ts");
  return connectRedis(address, log, clock);
}

/** The same for a command, which somebody waits for: it has no pass that Redis could hold up. */
export async function openRedisForCommand(address: RedisAddress, log: Logger, clock: Clock): Promise<RedisConnection> {
  const { connectRedis } = await import("./connection.ts");
  return connectRedis(address, log, clock, COMMAND_ANSWER_MS);
}

export interface RedisConnections {
  bans: RedisConnection | null;
  fleet: RedisConnection | null;
  /** Of all connections; null without Redis. */
  health: RedisHealth | null;
  close(): void;
}

/** One connection serves both where both are in one Redis. */
export async function openAll(
  { bans, fleet }: RedisAddresses,
  connect: (address: RedisAddress) => Promise<RedisConnection>,
): Promise<RedisConnections> {
  const opened = new Map<RedisAddress | null, RedisConnection>();
  for (const address of new Set([bans, fleet])) if (address !== null) opened.set(address, await connect(address));
  const all = [...opened.values()];
  return {
    bans: opened.get(bans) ?? null,
    fleet: opened.get(fleet) ?? null,
    health: all.length === 0 ? null : healthOf(all.map(({ health }) => health)),
    close: () => {
      for (const connection of all) connection.close();
    },
  };
}

/** Up while each of them is. */
function healthOf(all: readonly RedisHealth[]): RedisHealth {
  return {
    up: () => all.every((one) => one.up()),
    failures() {
      const latest = new Map<RedisTrouble, number>();
      for (const one of all)
        for (const [trouble, at] of one.failures()) latest.set(trouble, Math.max(at, latest.get(trouble) ?? 0));
      return latest;
    },
  };
}
