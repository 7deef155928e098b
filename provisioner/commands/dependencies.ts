// All effects of the program, as one value. Made here of the real ones; a simulation or a test makes its own.
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import type { AxiosAdapter } from "axios";
import { type Clock, systemClock } from "../../common/clock.ts";
import { type Disk, systemDisk } from "../../common/disk.ts";
import type { Logger, LoggingOptions } from "../../common/logging.ts";
import { type StatusServer, type StatusSource, startStatusServer } from "../../common/status-server.ts";
import { type Cluster, type ClusterAccess, openCluster } from "../kubernetes/cluster.ts";
import { createProbe, type Probe } from "../observe/probe.ts";
import { type AskReloader, createAskReloader } from "../publish/withdraw.ts";
import type { RedisConnection } from "../redis/connection.ts";
import { openRedis } from "../redis/open.ts";
import type { ProvisionerSettings } from "../settings.ts";

/** All that the program touches. A simulation hands in its own and owns time with it. */
export interface Dependencies {
  clock: Clock;
  /** Answers 0 to 1. */
  random: () => number;
  disk: Disk;
  /** Stands in for the network between axios and the API; left out, it is the network. */
  adapter?: AxiosAdapter;
  connectRedis(url: string, log: Logger): Promise<RedisConnection>;
  /** This process, for people who read who has a lease. */
  owner: string;
  probe: Probe;
  askReloader: AskReloader;
  serveStatus(port: number, source: StatusSource, variable: string): Promise<StatusServer>;
  /** The cluster that the pod runs in. Throws a sentence with the remedy where there is none. */
  openCluster(): Cluster;
  inKubernetes: boolean;
  /** Where log lines go; left out, it is stdout. */
  logTo?: LoggingOptions["destination"];
}

export function systemDependencies(settings: ProvisionerSettings, env: ClusterAccess["env"]): Dependencies {
  const clock = systemClock;
  return {
    clock,
    random: Math.random,
    disk: systemDisk,
    connectRedis: (url, log) => openRedis(url, log, clock),
    owner: processName(clock),
    probe: createProbe(clock, {
      healthPath: settings.healthPath,
      scheme: settings.desired.upstreamScheme,
      authHeader: settings.secrets.upstreamAuth,
      onRefused: settings.secrets.reload,
    }),
    askReloader: createAskReloader(settings.reloaderStatusPort, clock),
    serveStatus: startStatusServer,
    openCluster: () => openCluster({ env, readFile: (path) => readFileSync(path, "utf8"), clock }),
    inKubernetes: env.KUBERNETES_SERVICE_HOST !== undefined,
  };
}

/** This process, started about now, for people who read who has a lease. */
export function processName(clock: Clock): string {
  return `${hostname()} (pid ${process.pid}, started ${new Date(clock.now()).toISOString()})`;
}
