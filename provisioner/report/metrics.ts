// The provisioner's metrics: gauges that are read from the loop's state at each scrape (gauges.ts), and counters labelled with the
// reasons of reasons.ts. Touches only the registry.
import { counter, histogram, type Registry, registerBuildInfo } from "../../common/metrics.ts";
import type { Act } from "../act/act.ts";
import type { BanStore } from "../blacklist/store.ts";
import type { LoopState } from "../loop-state.ts";
import type { Probe } from "../observe/probe.ts";
import type { Choice } from "../search/select-offers.ts";
import type { State } from "../state/schema.ts";
import type { Instance } from "../vast/rows.ts";
import type { CallInfo } from "../vast/transport.ts";
import { fellBack, RETURN_OUTCOMES, returnOutcome } from "./bid-returns.ts";
import { type GaugeParts, registerGauges } from "./gauges.ts";
import {
  COUNTED_BANS,
  COUNTED_CALLS,
  COUNTED_DESTROYS,
  CREATE_OUTCOMES,
  ENDPOINTS,
  PROBE_OUTCOMES,
  probeOutcome,
} from "./metric-words.ts";
import { registerMoneyMetrics } from "./money-metrics.ts";
import { registerOffers } from "./offer-gauges.ts";
import { UPDATE_OUTCOMES, updateOutcomes } from "./update-counts.ts";

/** The counters, as hooks for the parts that do what is counted. */
export interface ProvisionerCounts {
  onCall(call: CallInfo): void;
  /** After each pass; `before` is the state at its beginning. */
  onPass(before: State): void;
  /** The same actor, counted. */
  counted(act: Act): Act;
  countedBans(bans: BanStore): BanStore;
  countedProbe(probe: Probe): Probe;
  onOffers(choice: Choice): void;
}

// From a small image that the host already has to a large one on a slow line. 1200 is the default of BLACKLIST_BAN_AFTER_SECONDS.
const READY_BUCKETS_SECONDS = [30, 60, 120, 300, 600, 1200, 1800, 3600];
// The longest bucket is the deadline of a call, and of a pass (report/status.ts).
const CALL_BUCKETS_SECONDS = [0.1, 0.5, 1, 5, 20];
const PASS_BUCKETS_SECONDS = [0.1, 0.5, 2, 10, 30, 120];

export function createMetrics(registry: Registry, parts: GaugeParts): ProvisionerCounts {
  const { loop } = parts;
  const instance = currentInstance(loop);
  registerBuildInfo(registry, "vast-provisioner");
  registerGauges(registry, parts, instance);
  registerMoneyMetrics(registry, loop);
  const calls = counter(registry, {
    name: "vast_pod_api_calls_total",
    help: "Calls sent to the Vast.ai API by endpoint and outcome; rate_limited is HTTP 429.",
    labels: ["endpoint", "outcome"],
    known: COUNTED_CALLS,
  });
  const callDurations = histogram(registry, {
    name: "vast_pod_api_call_duration_seconds",
    help: "Time from sending a call to its answer, by endpoint.",
    labels: ["endpoint"],
    known: ENDPOINTS.map((endpoint) => ({ endpoint })),
    buckets: CALL_BUCKETS_SECONDS,
  });
  const creates = counter(registry, {
    name: "vast_pod_creates_total",
    help: "Attempts to create an instance, by outcome.",
    labels: ["outcome"],
    known: CREATE_OUTCOMES.map((outcome) => ({ outcome })),
  });
  const destroys = counter(registry, {
    name: "vast_pod_destroys_total",
    help: "Destroys by reason, one for each decision.",
    labels: ["reason"],
    known: COUNTED_DESTROYS.map((reason) => ({ reason })),
  });
  const updates = counter(registry, {
    name: "vast_pod_updates_total",
    help: "Changes of an instance in place and surges (VAST_UPDATE_STRATEGY), by outcome: recycled, done, undone, failed or postponed.",
    labels: ["outcome"],
    known: UPDATE_OUTCOMES.map((outcome) => ({ outcome })),
  });
  const fallbacks = counter(registry, {
    name: "vast_pod_bid_fallbacks_total",
    help: "Instances that were rented on demand because bids had failed (VAST_BID_FALLBACK).",
  });
  const returns = counter(registry, {
    name: "vast_pod_bid_returns_total",
    help: "Surges from an instance on demand back to a bid, by outcome: done or failed.",
    labels: ["outcome"],
    known: RETURN_OUTCOMES.map((outcome) => ({ outcome })),
  });
  const bans = counter(registry, {
    name: "vast_pod_bans_total",
    help: "Bans written to Redis, by kind (host or machine) and reason.",
    labels: ["kind", "reason"],
    known: COUNTED_BANS,
  });
  const probes = counter(registry, {
    name: "vast_pod_probe_results_total",
    help: "Probes of instances by outcome: passed, no_connection, or bad_answer (not the expected one).",
    labels: ["outcome"],
    known: PROBE_OUTCOMES.map((outcome) => ({ outcome })),
  });
  const passes = counter(registry, { name: "vast_pod_passes_total", help: "Finished passes of the loop." });
  const passDurations = histogram(registry, {
    name: "vast_pod_pass_duration_seconds",
    help: "Duration of the passes of the loop.",
    buckets: PASS_BUCKETS_SECONDS,
  });
  const timeToReady = histogram(registry, {
    name: "vast_pod_time_to_ready_seconds",
    help: "Time from the first observation of an instance until it was ready.",
    buckets: READY_BUCKETS_SECONDS,
  });
  const onOffers = registerOffers(registry, parts.now);
  return {
    onOffers,
    onCall({ endpoint, outcome, ms }) {
      calls.inc({ endpoint, outcome });
      callDurations.observe({ endpoint }, ms / 1000);
    },
    onPass(before) {
      passes.inc();
      for (const outcome of updateOutcomes(before, loop.state)) updates.inc({ outcome });
      const returned = returnOutcome(before, loop.state);
      if (returned !== null) returns.inc({ outcome: returned });
      if (fellBack(before, loop.state)) fallbacks.inc();
      passDurations.observe(loop.passMs / 1000);
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
    countedProbe: (probe) => async (endpoint, instanceId, signal) => {
      const result = await probe(endpoint, instanceId, signal);
      probes.inc({ outcome: probeOutcome(result) });
      return result;
    },
  };
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
