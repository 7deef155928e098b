// The provisioner's gauges, read from the loop's state at each scrape. Touches only the registry.
import { gaugeOf, type Registry, type Sample } from "../../common/metrics.ts";
import type { LoopState } from "../loop-state.ts";
import { pendingPriceOf } from "../model/account-view.ts";
import { CREATE_BUDGET_MS } from "../model/deadlines.ts";
import type { Limits } from "../model/desired.ts";
import { wholeList } from "../model/observation.ts";
import type { RedisHealth } from "../redis/outages.ts";
import { failuresWithin } from "../state/bids.ts";
import type { Instance } from "../vast/rows.ts";

export interface GaugeParts {
  loop: LoopState;
  now: () => number;
  limits: Pick<Limits, "maxDollarsPerHour" | "maxCreatesPerHour" | "bidding">;
  /** Null while no Redis is used. */
  redis: () => RedisHealth | null;
}

const STATES = ["provisioning", "ready", "unavailable", "blocked"] as const;

/** `instance`: the last known row of the pod's instance. */
export function registerGauges(registry: Registry, parts: GaugeParts, instance: () => Instance | null): void {
  const { loop, redis } = parts;
  const gauge = <L extends string = never>(
    name: string,
    help: string,
    read: () => readonly Sample<L>[] | number | null,
    labels: readonly L[] = [],
  ) => gaugeOf(registry, { name: `vast_pod_${name}`, help, labels }, read);

  gauge(
    "state",
    "1 for the state in the upstream file, 0 for the other states.",
    () => STATES.map((word) => ({ labels: { state: word }, value: Number(loop.file?.state === word) })),
    ["state"],
  );
  gauge(
    "reason",
    "1 for the reason of the last pass, as in /status.",
    () => (loop.plan === null ? [] : [{ labels: { reason: loop.plan.reason }, value: 1 }]),
    ["reason"],
  );
  gauge("ready", "1 while the upstream file has a server, otherwise 0.", () =>
    Number((loop.file?.server ?? null) !== null),
  );
  gauge(
    "files_writable",
    "1 while the state file and the upstream file can be written; while it is 0, nothing is created or destroyed.",
    () => (loop.passes === 0 ? null : Number(loop.problem === null)),
  );
  gauge(
    "instance_info",
    "1 for the pod's instance, with its id, host, machine, GPU and image.",
    () => {
      const row = instance();
      if (row === null) return [];
      const { id, hostId, machineId, gpuName, image } = row;
      const [host, machine] = [`${hostId ?? ""}`, `${machineId ?? ""}`];
      return [{ labels: { id: `${id}`, host, machine, gpu: gpuName, image }, value: 1 }];
    },
    ["id", "host", "machine", "gpu", "image"],
  );
  gauge("instance_start_timestamp_seconds", "Time at which the pod's instance was created.", () =>
    seconds(instance()?.createdAt),
  );
  gauge("instance_end_timestamp_seconds", "Time at which the contract of the pod's instance ends.", () =>
    seconds(instance()?.endsAt),
  );
  gauge("instance_price_dollars_per_hour", "Price of the pod's instance.", () => instance()?.dollarsPerHour ?? null);
  gauge(
    "instance_pending_price_dollars_per_hour",
    "Price that the host of the pod's instance has announced, while it waits for an answer.",
    () => {
      const row = instance();
      return row === null ? null : (pendingPriceOf(row, loop.account)?.dollarsPerHour ?? null);
    },
  );
  gauge("price_ceiling_dollars_per_hour", "VAST_MAX_DPH, if it is set.", () => parts.limits.maxDollarsPerHour ?? null);
  gauge(
    "instance_bid_dollars_per_hour",
    "What is bid for the GPUs of the pod's instance, where it is interruptible; its disk costs extra.",
    () => {
      const row = instance();
      return row?.isBid ? row.gpuDollarsPerHour : null;
    },
  );
  gauge(
    "bid_failures",
    "Bids that have failed within the last hour, with VAST_INSTANCE_TYPE=interruptible; from three on VAST_BID_FALLBACK decides.",
    () => (parts.limits.bidding === null ? null : failuresWithin(loop.state, parts.now())),
  );
  gauge(
    "bid_fallback_timestamp_seconds",
    "Time since which the pod has been on demand because bids had failed, while it is and bids are wanted.",
    () => (parts.limits.bidding === null ? null : seconds(loop.state.fallback?.since)),
  );
  gauge("instances", "Listed instances of the pod that are not being destroyed; more than one is a duplicate.", () =>
    loop.seen === null
      ? null
      : (wholeList(loop.seen)?.filter((row) => !loop.state.pendingDeletes.some(({ id }) => id === row.id)).length ??
        null),
  );
  gauge(
    "instances_terminating",
    "Instances being destroyed that are not yet verified as gone.",
    () => loop.state.pendingDeletes.length,
  );
  gauge("list_timestamp_seconds", "Time at which the instance list was last known.", () => {
    const { seen, state, wholeListAt, startedAt } = loop;
    if (seen !== null && wholeList(seen) !== null) return seconds(seen.listedAt);
    return seconds(wholeListAt ?? state.listUnknownSince ?? (seen === null ? null : startedAt));
  });
  gauge("bans_known", "1 while the bans could be read, otherwise 0.", () =>
    loop.seen === null ? null : Number(loop.seen.bans.known),
  );
  gauge("redis_up", "1 while Redis works, otherwise 0.", () => {
    const health = redis();
    return health === null ? null : Number(health.up());
  });
  gauge(
    "redis_last_error_timestamp_seconds",
    "Time of the last Redis error of this kind.",
    () => [...(redis()?.failures() ?? [])].map(([kind, at]) => ({ labels: { kind }, value: at / 1000 })),
    ["kind"],
  );
  gauge("creates_budget_remaining", "Creates that VAST_MAX_CREATES_PER_HOUR still allows now.", () =>
    Math.max(parts.limits.maxCreatesPerHour - createsWithin(parts).length, 0),
  );
  gauge(
    "next_attempt_timestamp_seconds",
    "Time of the next attempt to create or replace the instance, while one waits after a failure or for the budget.",
    () => seconds(nextAttemptAt(parts)),
  );
  gauge("provisioner_last_pass_timestamp_seconds", "Time at which the last pass finished.", () =>
    seconds(loop.passes === 0 ? null : loop.finishedAt),
  );
}

function createsWithin({ loop, now }: GaugeParts): readonly number[] {
  return loop.state.creates.filter((at) => now() - at < CREATE_BUDGET_MS);
}

/** Null: nothing waits for its next attempt. */
function nextAttemptAt(parts: GaugeParts): number | null {
  const { loop, now } = parts;
  const { backoff, account, heldReplacement } = loop.state;
  const oldest = loop.plan?.reason === "create_budget" ? Math.min(...createsWithin(parts)) : Number.NEGATIVE_INFINITY;
  const times = [backoff?.until, account?.until, heldReplacement?.until, oldest + CREATE_BUDGET_MS];
  const waits = times.filter((at) => at !== undefined && Number.isFinite(at) && at > now());
  return waits.length === 0 ? null : Math.max(...waits.map(Number));
}

function seconds(ms: number | null | undefined): number | null {
  return ms === null || ms === undefined ? null : ms / 1000;
}
