// Makes the Redis client for a server, for Sentinels or for a Cluster. Touches the network.
import { Cluster, Redis } from "ioredis";
import type { RedisTarget } from "./url.ts";

export type RedisClient = Redis | Cluster;

const MAX_RECONNECT_MS = 5000;
// A server that vanished without closing its connections, like that of a dead node, would otherwise keep them for a quarter of an hour:
// it is given up after so many times the wait for one answer.
const SILENT_ANSWERS = 3;
// A command that meets a failover in a Cluster is repeated every 100 ms; this often fits into a second.
const MAX_REDIRECTIONS = 8;

const retry = (times: number) => Math.min(times * 200, MAX_RECONNECT_MS);

/**
 * Connects in the background. Commands are never queued while there is no connection, and never repeated after a lost one: a script that
 * takes a turn, and whose caller gave up on it, must not run later. `waitMs`: for the connection, and for each answer; with ioredis'
 * defaults a command fails after 74 s.
 */
export function createClient(target: RedisTarget, waitMs: number): RedisClient {
  const { tls, username, password } = target;
  const common = {
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
    connectTimeout: waitMs,
    commandTimeout: waitMs,
    socketTimeout: SILENT_ANSWERS * waitMs,
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
        sentinelCommandTimeout: waitMs,
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
        slotsRefreshTimeout: waitMs,
        maxRedirections: MAX_REDIRECTIONS,
        redisOptions: common,
        // The name is needed to check the certificate.
        ...(tls ? { dnsLookup: (address, callback) => callback(null, address) } : {}),
      });
  }
}
