// What `/metrics` tells of the provisioner: what is, read from the loop's state at each scrape, and what happened, counted
// by the words of reasons.ts. Touches the registry that it is handed.
import { counter, gaugeOf, histogram, type Registry, type Sample } from "../../common/metrics.ts";
import type { Act } from "../act/act.ts";
import type { BanStore } from "../blacklist/store.ts";
import type { LoopState } from "../loop-state.ts";
import type { RedisHealth } from "../redis/outages.ts";
import type { State } from "../state/schema.ts";
import type { Instance } from "../vast/rows.ts";
import type { CallInfo } from "../vast/transport.ts";

export interface ProvisionerFacts {
  loop: LoopState;
  now: () => number;
  maxDollarsPerHour: number | undefined;
  /** Null while no Redis is used. */
  redis: () => RedisHealth | null;
}

/** What the program tells the counters. */
export interface ProvisionerCounts {
  onCall(call: CallInfo): void;
  /** After each pass; `before` is the memory that it began with. */
  onPass(before: State): void;
  /** The same, counted. */
  counted(act: Act): Act;
  countedBans(bans: BanStore): BanStore;
}

const STATES = ["provisioning", "ready", "unavailable", "blocked"] as const;
// From a small image that the host has already to a large one on a slow line; the ban time's default is 1200.
const READY_BUCKETS_SECONDS = [30, 60, 120, 300, 600, 1200, 1800, 3600];

export function createMetrics(registry: Registry, facts: ProvisionerFacts): ProvisionerCounts {
  const { loop } = facts;
  const instance = currentInstance(loop);
  gaugesOf(registry, facts, instance);
  const calls = counter(registry, {
    name: "vast_pod_api_calls_total",
    help: "Calls of the Vast.ai API that were sent; outcome rate_limited is HTTP 429.",
    labels: ["endpoint", "outcome"],
  });
  const creates = counter(registry, {
    name: "vast_pod_creates_total",
    help: "Attempts to create an instance, by what came of them.",
    labels: ["outcome"],
  });
  const destroys = counter(registry, {
    name: "vast_pod_destroys_total",
    help: "Instances asked to be destroyed, by the reason.",
    labels: ["reason"],
  });
  const bans = counter(registry, {
    name: "vast_pod_bans_total",
    help: "Bans written, by what they name and the reason.",
    labels: ["kind", "reason"],
  });
  const passes = counter(registry, { name: "vast_pod_passes_total", help: "Passes of the loop that finished." });
  const timeToReady = histogram(registry, {
    name: "vast_pod_time_to_ready_seconds",
    help: "Time from the first sight of an instance until it served.",
    buckets: READY_BUCKETS_SECONDS,
  });
  return {
    onCall: ({ endpoint, outcome }) => calls.inc({ endpoint, outcome }),
    onPass(before) {
      passes.inc();
      instance();
      for (const [id, track] of Object.entries(loop.state.tracks)) {
        // One that is found ready says nothing of how long it took.
        if (!track.wasReady || before.tracks[id]?.wasReady !== false) continue;
        timeToReady.observe(((track.servingSince ?? facts.now()) - track.waitingSince) / 1000);
      }
    },
    counted: (act) => async (action, plan, seen, state, signals) => {
      const result = await act(action, plan, seen, state, signals);
      if (action.kind === "destroy") destroys.inc({ reason: action.reason });
      const outcome = result.created;
      if (outcome !== undefined) creates.inc({ outcome });
      if (outcome === "create_failed") destroys.inc({ reason: outcome });
      return result;
    },
    countedBans: (store) => ({
      ...store,
      async ban(kind, id, reason) {
        await store.ban(kind, id, reason);
        bans.inc({ kind, reason });
      },
    }),
  };
}

function gaugesOf(registry: Registry, facts: ProvisionerFacts, instance: () => Instance | null): void {
  const { loop, now, maxDollarsPerHour, redis } = facts;
  const gauge = <L extends string = never>(
    name: string,
    help: string,
    read: () => readonly Sample<L>[] | number | null,
    labels: readonly L[] = [],
  ) => gaugeOf(registry, { name: `vast_pod_${name}`, help, labels }, read);
  const price = () => instance()?.dollarsPerHour ?? null;

  gauge(
    "state",
    "1 for the state that the upstream file says, 0 for the others.",
    () => STATES.map((word) => ({ labels: { state: word }, value: Number(loop.file?.state === word) })),
    ["state"],
  );
  gauge(
    "reason",
    "1 for the reason of the last pass.",
    () => (loop.plan === null ? [] : [{ labels: { reason: loop.plan.reason }, value: 1 }]),
    ["reason"],
  );
  gauge("ready", "1 while a server is published.", () => Number((loop.file?.server ?? null) !== null));
  gauge(
    "instance_info",
    "1 for the pod's instance.",
    () => {
      const row = instance();
      if (row === null) return [];
      const { id, hostId, machineId, gpuName } = row;
      return [
        { labels: { id: `${id}`, host: `${hostId ?? ""}`, machine: `${machineId ?? ""}`, gpu: gpuName }, value: 1 },
      ];
    },
    ["id", "host", "machine", "gpu"],
  );
  gauge("instance_price_dollars_per_hour", "Price of the pod's instance.", price);
  gauge("instance_price_excess_dollars_per_hour", "How far that price is above VAST_MAX_DPH; 0 when it is not.", () => {
    const dollars = price();
    return dollars === null || maxDollarsPerHour === undefined ? null : Math.max(dollars - maxDollarsPerHour, 0);
  });
  gauge(
    "instances_terminating",
    "Instances whose destroy was ordered and that a complete list still shows, or may yet show.",
    () => loop.state.pendingDeletes.length,
  );
  gauge("list_unknown_seconds", "For how long the instance list is unknown; 0 when it is known.", () => {
    const since = loop.state.listUnknownSince;
    return since === null ? 0 : (now() - since) / 1000;
  });
  gauge("bans_known", "1 while the bans are known.", () => (loop.seen === null ? null : Number(loop.seen.bans.known)));
  gauge("redis_up", "1 while Redis works.", () => {
    const health = redis();
    return health === null ? null : Number(health.up());
  });
  gauge(
    "redis_last_error_timestamp_seconds",
    "When Redis last failed in this way.",
    () => [...(redis()?.failures() ?? [])].map(([kind, at]) => ({ labels: { kind }, value: at / 1000 })),
    ["kind"],
  );
  const passed = (value: number) => (loop.passes === 0 ? null : value / 1000);
  gauge("last_pass_timestamp_seconds", "When the last pass finished.", () => passed(loop.finishedAt));
  gauge("last_pass_duration_seconds", "How long the last pass took.", () => passed(loop.passMs));
}

/** The row of the pod's instance as it was last seen when asked: what an unknown list hides is still there and billed. */
function currentInstance(loop: LoopState): () => Instance | null {
  let last: Instance | null = null;
  return () => {
    const id = loop.plan?.instance?.id;
    const listed = loop.seen?.list.known ? loop.seen.list.value.find((row) => row.id === id) : undefined;
    last = listed ?? (last?.id === id ? last : null);
    return last;
  };
}
