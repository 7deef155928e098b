// The provisioner's metrics: gauges that are read from the loop's state at each scrape, and counters labelled with the reasons
// of reasons.ts. Touches only the registry.
import { counter, gaugeOf, histogram, type Registry, type Sample } from "../../common/metrics.ts";
import type { Act } from "../act/act.ts";
import type { BanStore } from "../blacklist/store.ts";
import type { LoopState } from "../loop-state.ts";
import type { RedisHealth } from "../redis/outages.ts";
import type { State } from "../state/schema.ts";
import type { Instance } from "../vast/rows.ts";
import type { CallInfo } from "../vast/transport.ts";

export interface MetricsParts {
  loop: LoopState;
  now: () => number;
  maxDollarsPerHour: number | undefined;
  /** Null while no Redis is used. */
  redis: () => RedisHealth | null;
}

/** The counters, as hooks for the parts that do what is counted. */
export interface ProvisionerCounts {
  onCall(call: CallInfo): void;
  /** After each pass; `before` is the state at its beginning. */
  onPass(before: State): void;
  /** The same actor, counted. */
  counted(act: Act): Act;
  countedBans(bans: BanStore): BanStore;
}

const STATES = ["provisioning", "ready", "unavailable", "blocked"] as const;
// From a small image that the host already has to a large one on a slow line. 1200 is the default of BLACKLIST_BAN_AFTER_SECONDS.
const READY_BUCKETS_SECONDS = [30, 60, 120, 300, 600, 1200, 1800, 3600];

export function createMetrics(registry: Registry, parts: MetricsParts): ProvisionerCounts {
  const { loop } = parts;
  const instance = currentInstance(loop);
  registerGauges(registry, parts, instance);
  const calls = counter(registry, {
    name: "vast_pod_api_calls_total",
    help: "Calls sent to the Vast.ai API by endpoint and outcome; rate_limited is HTTP 429.",
    labels: ["endpoint", "outcome"],
  });
  const creates = counter(registry, {
    name: "vast_pod_creates_total",
    help: "Attempts to create an instance, by outcome.",
    labels: ["outcome"],
  });
  const destroys = counter(registry, {
    name: "vast_pod_destroys_total",
    help: "Destroys by reason, one for each decision.",
    labels: ["reason"],
  });
  const bans = counter(registry, {
    name: "vast_pod_bans_total",
    help: "Bans written to Redis, by kind (host or machine) and reason.",
    labels: ["kind", "reason"],
  });
  const passes = counter(registry, { name: "vast_pod_passes_total", help: "Finished passes of the loop." });
  const timeToReady = histogram(registry, {
    name: "vast_pod_time_to_ready_seconds",
    help: "Time from the first observation of an instance until it was ready.",
    buckets: READY_BUCKETS_SECONDS,
  });
  return {
    onCall: ({ endpoint, outcome }) => calls.inc({ endpoint, outcome }),
    onPass(before) {
      passes.inc();
      instance();
      for (const [id, track] of Object.entries(loop.state.tracks)) {
        // An instance that was ready when it was found has no known start.
        if (!track.wasReady || before.tracks[id]?.wasReady !== false) continue;
        timeToReady.observe(((track.servingSince ?? parts.now()) - track.waitingSince) / 1000);
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

function registerGauges(registry: Registry, parts: MetricsParts, instance: () => Instance | null): void {
  const { loop, now, maxDollarsPerHour, redis } = parts;
  const gauge = <L extends string = never>(
    name: string,
    help: string,
    read: () => readonly Sample<L>[] | number | null,
    labels: readonly L[] = [],
  ) => gaugeOf(registry, { name: `vast_pod_${name}`, help, labels }, read);
  const price = () => instance()?.dollarsPerHour ?? null;

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
    "1 for the pod's instance, with its id, host, machine and GPU.",
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
  gauge("instance_price_excess_dollars_per_hour", "How much that price is above VAST_MAX_DPH; 0 if it is not.", () => {
    const dollars = price();
    return dollars === null || maxDollarsPerHour === undefined ? null : Math.max(dollars - maxDollarsPerHour, 0);
  });
  gauge(
    "instances_terminating",
    "Instances being destroyed that are not yet verified as gone.",
    () => loop.state.pendingDeletes.length,
  );
  gauge("list_unknown_seconds", "How long the instance list has been unknown; 0 while it is known.", () => {
    const since = loop.state.listUnknownSince;
    return since === null ? 0 : (now() - since) / 1000;
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
  const afterFirstPass = (value: number) => (loop.passes === 0 ? null : value / 1000);
  gauge("last_pass_timestamp_seconds", "Time at which the last pass finished.", () => afterFirstPass(loop.finishedAt));
  gauge("last_pass_duration_seconds", "Duration of the last pass.", () => afterFirstPass(loop.passMs));
}

/** The last known row of the pod's instance. It stays while the list is unknown: the instance still exists and is billed. */
function currentInstance(loop: LoopState): () => Instance | null {
  let last: Instance | null = null;
  return () => {
    const id = loop.plan?.instance?.id;
    const listed = loop.seen?.list.known ? loop.seen.list.value.find((row) => row.id === id) : undefined;
    last = listed ?? (last?.id === id ? last : null);
    return last;
  };
}
