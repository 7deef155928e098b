// All effects of `run` as one value. This file makes the real ones; tests and the simulation make their own.

import { hostname } from "node:os";
import { type Clock, systemClock } from "../../common/clock.ts";
import { type Disk, systemDisk } from "../../common/disk.ts";
import type { HttpAdapter } from "../../common/http.ts";
import type { Logger, LoggingOptions } from "../../common/logging.ts";
import { readSmallFileSync } from "../../common/small-file.ts";
import { type StatusServer, type StatusSource, startStatusServer } from "../../common/status-server.ts";
import { type Cluster, type ClusterAccess, openCluster } from "../kubernetes/cluster.ts";
import { createProbe, type Probe } from "../observe/probe.ts";
import { type AskReloader, createAskReloader, isNobodyListening } from "../publish/withdraw.ts";
import type { RedisAddress } from "../redis/address.ts";
import type { RedisConnection } from "../redis/connection.ts";
import { openRedis } from "../redis/open.ts";
import { type AskProxy, createAskProxy } from "../report/ask-proxy.ts";
import type { ProvisionerSettings } from "../settings.ts";

/** Everything outside the process that `run` touches, time included. */
export interface Dependencies {
  clock: Clock;
  /** Returns 0 to 1. */
  random: () => number;
  disk: Disk;
  /** Replaces the network between the HTTP client and the API in tests. */
  adapter?: HttpAdapter;
  connectRedis(address: RedisAddress, log: Logger): Promise<RedisConnection>;
  /** Names this process in the lease, for people. */
  owner: string;
  probe: Probe;
  askReloader: AskReloader;
  askProxy: AskProxy;
  /** Whether neither nginx nor the reloader runs. */
  isProxyGone(): Promise<boolean>;
  serveStatus(port: number, source: StatusSource, variable: string): Promise<StatusServer>;
  /** The cluster that the pod runs in. Throws an error that says what to do when there is none. */
  openCluster(): Cluster;
  inKubernetes: boolean;
  /** Where log lines go; stdout by default. */
  logTo?: LoggingOptions["destination"];
}

/** What every step of a run uses. */
export interface RunContext {
  settings: ProvisionerSettings;
  deps: Dependencies;
  log: Logger;
}

export function systemDependencies(settings: ProvisionerSettings, env: ClusterAccess["env"]): Dependencies {
  const clock = systemClock;
  return {
    clock,
    random: Math.random,
    disk: systemDisk,
    connectRedis: (address, log) => openRedis(address, log, clock),
    owner: processName(clock),
    probe: createProbe(clock, {
      healthPath: settings.healthPath,
      healthExpect: settings.healthExpect,
      scheme: settings.desired.upstreamScheme,
      authHeader: settings.secrets.upstreamAuth,
      onRefused: settings.secrets.reload,
    }),
    askReloader: createAskReloader(settings.reloaderStatusPort, clock),
    askProxy: createAskProxy(settings.reloaderStatusPort, clock),
    isProxyGone: () => isNobodyListening([settings.reloaderStatusPort, settings.proxyPort], clock),
    serveStatus: startStatusServer,
    openCluster: () => openCluster({ env, readFile: readSmallFileSync, clock }),
    inKubernetes: env.KUBERNETES_SERVICE_HOST !== undefined,
  };
}

/** Names this process in a lease: host, pid and start time, which is about now. */
export function processName(clock: Clock): string {
  return `${hostname()} (pid ${process.pid}, started ${new Date(clock.now()).toISOString()})`;
}
