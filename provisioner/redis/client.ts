// Makes the Redis client for a server, for Sentinels or for a Cluster. Touches the network.
import { Cluster, Redis } from "ioredis";
import type { RedisTarget } from "./url.ts";

export type RedisClient = Redis | Cluster;

// With ioredis' defaults a command fails after 74 s. A pass must not wait longer for bans than for the API.
const COMMAND_TIMEOUT_MS = 1000;
export const CONNECT_TIMEOUT_MS = 1000;
// A server that vanished without closing its connections, like that of a dead node, would otherwise keep them for a quarter of an hour.
const SILENT_SOCKET_MS = 3000;
const MAX_RECONNECT_MS = 5000;
// A command that meets a failover in a Cluster is repeated every 100 ms; this often fits into COMMAND_TIMEOUT_MS.
const MAX_REDIRECTIONS = 8;

const retry = (times: number) => Math.min(times * 200, MAX_RECONNECT_MS);

/**
 * Connects in the background. Commands are never queued while there is no connection, and never repeated after a lost one: a script that
 * takes a turn, and whose caller gave up on it, must not run later.
 */
export function createClient(target: RedisTarget): RedisClient {
  const { tls, username, password } = target;
  const common = {
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SILENT_SOCKET_MS,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 1,
  };
  const queueless = { ...common, enableOfflineQueue: false, retryStrategy: retry };
  switch (target.kind) {
    case "server":
      return new Redis({ ...queueless, ...target.server, db: target.database });
    case "sentinel":
      return new Redis({
        ...queueless,
        sentinels: [...target.sentinels],
        name: target.primary,
        db: target.database,
        sentinelRetryStrategy: retry,
        sentinelCommandTimeout: COMMAND_TIMEOUT_MS,
        ...(target.sentinelUsername === null ? {} : { sentinelUsername: target.sentinelUsername }),
        ...(target.sentinelPassword === null ? {} : { sentinelPassword: target.sentinelPassword }),
        ...(tls ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {}),
        // After a failover the former primary is a replica: the Sentinels know the new one.
        reconnectOnError: (error) => error.message.startsWith("READONLY"),
      });
    case "cluster":
      return new Cluster([...target.nodes], {
        enableOfflineQueue: false,
        clusterRetryStrategy: retry,
        slotsRefreshTimeout: COMMAND_TIMEOUT_MS,
        maxRedirections: MAX_REDIRECTIONS,
        redisOptions: common,
        // The name is needed to check the certificate.
        ...(tls ? { dnsLookup: (address, callback) => callback(null, address) } : {}),
      });
  }
}
