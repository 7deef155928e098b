import { describe, expect, test } from "vitest";
import { createRegistry } from "../../../../common/metrics.ts";
import type { ActResult } from "../../../../provisioner/act/act.ts";
import { type LoopState, startState } from "../../../../provisioner/loop-state.ts";
import { NOTHING_READ } from "../../../../provisioner/model/account-view.ts";
import type { Bidding } from "../../../../provisioner/model/bid.ts";
import { CREATE_BUDGET_MS } from "../../../../provisioner/model/deadlines.ts";
import type { Observation } from "../../../../provisioner/model/observation.ts";
import type { Action, Plan } from "../../../../provisioner/model/plan.ts";
import type { RedisHealth } from "../../../../provisioner/redis/outages.ts";
import { createMetrics } from "../../../../provisioner/report/metrics.ts";
import type { State } from "../../../../provisioner/state/schema.ts";
import { fakeBans, never } from "../fakes.ts";
import { fileOf } from "../loop.ts";
import {
  createAction,
  NOW,
  observation,
  offer,
  planned,
  row,
  SECOND,
  servingTrack,
  state,
  unknown,
  waitingTrack,
} from "../plan/situation.ts";

const ID = 7835610;

function loopState(over: Partial<LoopState> = {}): LoopState {
  return { ...startState(state(), NOW), ...over };
}

/** State and plan of a pass that saw `rows` with these tracks. */
function seeing(rows: Parameters<typeof observation>[0], m: Partial<State> = {}, seen: Partial<Observation> = {}) {
  const observed = observation(rows, seen);
  const plan: Plan = planned({ seen: observed, state: state(m) });
  return { seen: observed, plan, state: state(m), passes: 3, passMs: 250 };
}
const serving = () => seeing([row()], { tracks: { [ID]: servingTrack() } });

function setup(loop: LoopState, more: { maxDollarsPerHour?: number; bidding?: Bidding; redis?: RedisHealth } = {}) {
  const registry = createRegistry();
  const { maxDollarsPerHour, bidding = null, redis = null } = more;
  const limits = { maxDollarsPerHour, maxCreatesPerHour: 6, bidding };
  const counts = createMetrics(registry, { loop, now: () => NOW, limits, redis: () => redis });
  const scrape = async () =>
    (await registry.metrics()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const of = async (name: string) => (await scrape()).filter((line) => line.startsWith(name));
  /** The lines of a counter that has counted. */
  const counted = async (name: string) => (await of(name)).filter((line) => !line.endsWith(" 0"));
  return { registry, counts, of, counted };
}

describe("a gauge", () => {
  test("describes a pod that serves", async () => {
    const { of } = setup(loopState({ ...serving(), file: fileOf() }), { maxDollarsPerHour: 0.3 });
    expect(await of("vast_pod_ready")).toEqual(["vast_pod_ready 1"]);
    expect(await of("vast_pod_state")).toEqual([
      'vast_pod_state{state="provisioning"} 0',
      'vast_pod_state{state="ready"} 1',
      'vast_pod_state{state="unavailable"} 0',
      'vast_pod_state{state="blocked"} 0',
    ]);
    expect(await of("vast_pod_reason")).toEqual(['vast_pod_reason{reason="instance_ready"} 1']);
    expect(await of("vast_pod_instance_info")).toEqual([
      'vast_pod_instance_info{id="7835610",host="77001",machine="4821",gpu="RTX 4090",image="example/app:2"} 1',
    ]);
    expect(await of("vast_pod_instance_price_dollars")).toEqual(["vast_pod_instance_price_dollars_per_hour 0.3164"]);
    expect(await of("vast_pod_price_ceiling")).toEqual(["vast_pod_price_ceiling_dollars_per_hour 0.3"]);
    expect(await of("vast_pod_instances ")).toEqual(["vast_pod_instances 1"]);
    expect(await of("vast_pod_list_timestamp")).toEqual([`vast_pod_list_timestamp_seconds ${NOW / 1000}`]);
    expect(await of("vast_pod_bans_known")).toEqual(["vast_pod_bans_known 1"]);
  });

  test("tells that the files cannot be written", async () => {
    expect(await setup(loopState(serving())).of("vast_pod_files_writable")).toEqual(["vast_pod_files_writable 1"]);
    const full = loopState({ ...serving(), problem: "nothing is created or destroyed while this cannot be written" });
    expect(await setup(full).of("vast_pod_files_writable")).toEqual(["vast_pod_files_writable 0"]);
  });

  test("has when the instance was created and when its contract ends", async () => {
    const rows = [row({ createdAt: NOW - 60 * SECOND, endsAt: NOW + 60 * SECOND })];
    const { of } = setup(loopState(seeing(rows, { tracks: { [ID]: servingTrack() } })));
    expect(await of("vast_pod_instance_start")).toEqual([
      `vast_pod_instance_start_timestamp_seconds ${NOW / 1000 - 60}`,
    ]);
    expect(await of("vast_pod_instance_end")).toEqual([`vast_pod_instance_end_timestamp_seconds ${NOW / 1000 + 60}`]);
  });

  test("has the price that the host has announced for this instance", async () => {
    const rows = [row({ dollarsPerHour: 0.3, diskDollarsPerHour: 0.1 })];
    const increase = { id: 1, instanceId: ID, factor: 2, gpuDollarsPerHour: 1, endsAt: null };
    const account = { ...NOTHING_READ, priceIncreases: [increase] };
    const { of } = setup(loopState({ ...seeing(rows, { tracks: { [ID]: servingTrack() } }), account }));
    expect(await of("vast_pod_instance_pending_price")).toEqual([
      "vast_pod_instance_pending_price_dollars_per_hour 0.5",
    ]);
    const other = { ...account, priceIncreases: [{ ...increase, instanceId: 5 }] };
    const without = setup(loopState({ ...seeing(rows, { tracks: { [ID]: servingTrack() } }), account: other }));
    expect(await without.of("vast_pod_instance_pending_price")).toEqual([]);
  });

  test("has what is bid for an interruptible instance, and how many bids have failed within an hour", async () => {
    const rows = [row({ isBid: true, gpuDollarsPerHour: 0.25 })];
    const bidFailures = [NOW - 3600 * SECOND, NOW - SECOND];
    const loop = loopState(seeing(rows, { bidFailures, tracks: { [ID]: servingTrack() } }));
    const { of } = setup(loop, { bidding: { bid: { factor: 1.2 }, fallsBack: true } });
    expect(await of("vast_pod_instance_bid")).toEqual(["vast_pod_instance_bid_dollars_per_hour 0.25"]);
    expect(await of("vast_pod_bid_failures")).toEqual(["vast_pod_bid_failures 1"]);
    const onDemand = setup(loopState(serving()));
    expect(await onDemand.of("vast_pod_instance_bid")).toEqual([]);
    expect(await onDemand.of("vast_pod_bid_failures")).toEqual([]);
  });

  test("has since when the pod is on demand because bids had failed, and counts that and what came of a surge back", async () => {
    const fallback = { instanceIds: [ID], since: NOW - 60 * SECOND, looks: 0, attempts: 0, until: NOW, found: null };
    const loop = loopState(seeing([row()], { fallback, tracks: { [ID]: servingTrack() } }));
    const { of, counts } = setup(loop, { bidding: { bid: { factor: 1.2 }, fallsBack: true } });
    expect(await of("vast_pod_bid_fallback_timestamp")).toEqual([
      `vast_pod_bid_fallback_timestamp_seconds ${NOW / 1000 - 60}`,
    ]);
    const surge = { old: { id: ID, wanted: "w", reported: "r", toBid: true }, newId: 5, since: NOW };
    counts.onPass(state());
    expect(await of("vast_pod_bid_fallbacks_total")).toEqual(["vast_pod_bid_fallbacks_total 1"]);
    loop.state = { ...loop.state, fallback: { ...fallback, attempts: 1 } };
    counts.onPass({ ...loop.state, surge, fallback });
    expect(await of("vast_pod_bid_returns_total")).toEqual([
      'vast_pod_bid_returns_total{outcome="done"} 0',
      'vast_pod_bid_returns_total{outcome="failed"} 1',
    ]);
    expect(await setup(loopState(serving())).of("vast_pod_bid_fallback_timestamp")).toEqual([]);
  });

  test("has no price ceiling where none is set", async () => {
    expect(await setup(loopState(serving())).of("vast_pod_price_ceiling")).toEqual([]);
  });

  test("tells two instances from one that is replaced", async () => {
    const two = [row(), row({ id: 5 })];
    expect(await setup(loopState(seeing(two))).of("vast_pod_instances ")).toEqual(["vast_pod_instances 2"]);
    const pendingDeletes = [{ id: 5, reason: "image_changed", since: NOW, deleteSentAt: NOW }];
    const replacing = loopState(seeing(two, { pendingDeletes }));
    expect(await setup(replacing).of("vast_pod_instances ")).toEqual(["vast_pod_instances 1"]);
    const blind = loopState({ seen: observation([], { list: unknown() }) });
    expect(await setup(blind).of("vast_pod_instances ")).toEqual([]);
  });

  test("has how many creates are left, and when the next attempt is", async () => {
    const creates = [NOW - 2 * 3600 * SECOND, NOW - 30 * SECOND, NOW - 20 * SECOND];
    const { of } = setup(loopState({ state: state({ creates }) }));
    expect(await of("vast_pod_creates_budget")).toEqual(["vast_pod_creates_budget_remaining 4"]);
    expect(await of("vast_pod_next_attempt")).toEqual([]);
    const until = NOW + 60 * SECOND;
    const backoff = { reason: "no_offer", message: "", failures: 1, until, wanted: "" } as const;
    const waiting = setup(loopState({ state: state({ backoff }) }));
    expect(await waiting.of("vast_pod_next_attempt")).toEqual([
      `vast_pod_next_attempt_timestamp_seconds ${until / 1000}`,
    ]);
  });

  test("has the time of the next create while the budget is spent", async () => {
    const creates = [60, 50, 40, 30, 20, 10].map((ago) => NOW - ago * SECOND);
    const { of } = setup(loopState(seeing([], { creates, confirmedNone: true })));
    expect(await of("vast_pod_reason")).toEqual(['vast_pod_reason{reason="create_budget"} 1']);
    expect(await of("vast_pod_creates_budget")).toEqual(["vast_pod_creates_budget_remaining 0"]);
    const next = (NOW - 60 * SECOND + CREATE_BUDGET_MS) / 1000;
    expect(await of("vast_pod_next_attempt")).toEqual([`vast_pod_next_attempt_timestamp_seconds ${next}`]);
  });

  test("is left out before anything is known", async () => {
    const { of } = setup(loopState());
    for (const name of [
      "reason",
      "instance_info",
      "instance_price",
      "bans_known",
      "redis",
      "provisioner_last_pass",
      "files_writable",
      "instances ",
      "list_timestamp",
      "next_attempt",
    ])
      expect(await of(`vast_pod_${name}`)).toEqual([]);
    expect(await of("vast_pod_ready")).toEqual(["vast_pod_ready 0"]);
  });

  test("has one line, for the current instance only", async () => {
    const loop = loopState(serving());
    const { of } = setup(loop);
    await of("vast_pod_instance_info");
    Object.assign(loop, seeing([row({ id: 8, gpuName: "H100" })], { tracks: { 8: servingTrack() } }));
    expect(await of("vast_pod_instance_info")).toEqual([
      'vast_pod_instance_info{id="8",host="77001",machine="4821",gpu="H100",image="example/app:2"} 1',
    ]);
    Object.assign(loop, seeing([]));
    expect(await of("vast_pod_instance_info")).toEqual([]);
    expect(await of("vast_pod_instance_price")).toEqual([]);
  });

  test("has what the last search found, and why the rest cannot be taken", async () => {
    const { counts, counted, of } = setup(loopState());
    expect(await of("vast_pod_offers")).toEqual([]);
    const price = { reason: "price", text: "above VAST_MAX_DPH", cheapestDollarsPerHour: 0.5 } as const;
    const query = { reason: "query", cheapestDollarsPerHour: null } as const;
    counts.onOffers({ offers: [], exclusions: [{ ...price, count: 9 }] });
    counts.onOffers({
      offers: [offer()],
      exclusions: [
        { ...price, count: 7 },
        { ...query, text: "that do not meet gpu_ram", count: 2 },
        { ...query, text: "that do not meet cuda", count: 1 },
      ],
    });
    expect(await counted("vast_pod_offers_excluded")).toEqual([
      'vast_pod_offers_excluded{reason="price"} 7',
      'vast_pod_offers_excluded{reason="query"} 3',
    ]);
    expect(await of("vast_pod_offers_acceptable")).toEqual(["vast_pod_offers_acceptable 1"]);
    expect(await of("vast_pod_offers_search")).toEqual([`vast_pod_offers_search_timestamp_seconds ${NOW / 1000}`]);
  });

  test("keeps the instance while the list is unknown, and has since when it is unknown", async () => {
    const loop = loopState(serving());
    const { of, counts } = setup(loop);
    expect(await of("vast_pod_instance_info")).toHaveLength(1);
    counts.onPass(loop.state);
    loop.seen = observation([], { list: unknown() });
    loop.state = state({ listUnknownSince: NOW - 90 * SECOND });
    expect(await of("vast_pod_instance_info")).toHaveLength(1);
    expect(await of("vast_pod_list_timestamp")).toEqual([`vast_pod_list_timestamp_seconds ${NOW / 1000 - 90}`]);
  });

  test("has the pending deletes and the state of Redis", async () => {
    const pendingDeletes = [{ id: 5, reason: "duplicate", since: NOW, deleteSentAt: NOW }];
    const redis: RedisHealth = { up: () => false, failures: () => new Map([["auth", NOW]]) };
    const { of } = setup(loopState({ state: state({ pendingDeletes }) }), { redis });
    expect(await of("vast_pod_instances_terminating")).toEqual(["vast_pod_instances_terminating 1"]);
    expect(await of("vast_pod_redis")).toEqual([
      "vast_pod_redis_up 0",
      `vast_pod_redis_last_error_timestamp_seconds{kind="auth"} ${NOW / 1000}`,
    ]);
  });
});

describe("a counter", () => {
  const run = async (action: Action, result: ActResult) => {
    const { counts, counted } = setup(loopState());
    await counts.counted(async () => result)(action, planned({}), observation(), state(), never);
    return counted;
  };

  test("counts calls by endpoint and outcome", async () => {
    const { counts, counted, of } = setup(loopState());
    counts.onCall({ endpoint: "list", outcome: "ok", ms: 5 });
    counts.onCall({ endpoint: "list", outcome: "ok", ms: 5 });
    counts.onCall({ endpoint: "list", outcome: "rate_limited", ms: 5 });
    expect(await counted("vast_pod_api_calls")).toEqual([
      'vast_pod_api_calls_total{endpoint="list",outcome="ok"} 2',
      'vast_pod_api_calls_total{endpoint="list",outcome="rate_limited"} 1',
    ]);
    expect(await of('vast_pod_api_call_duration_seconds_count{endpoint="list"}')).toEqual([
      'vast_pod_api_call_duration_seconds_count{endpoint="list"} 3',
    ]);
  });

  test("is there from the start, at 0, for every word: the first event is not lost to increase()", async () => {
    const { of } = setup(loopState());
    const all = async (name: string) => (await of(name)).filter((line) => line.endsWith(" 0"));
    expect(await all("vast_pod_destroys_total")).toHaveLength(22);
    expect(await all("vast_pod_creates_total")).toHaveLength(15);
    expect(await all("vast_pod_bans_total")).toHaveLength(6);
    expect(await all("vast_pod_probe_results_total")).toHaveLength(3);
    expect(await all('vast_pod_api_calls_total{endpoint="destroy",outcome="auth"}')).toHaveLength(1);
    expect(await all('vast_pod_api_call_duration_seconds_count{endpoint="destroy"}')).toHaveLength(1);
    expect(await all("vast_pod_pass_duration_seconds_count")).toHaveLength(1);
  });

  test("counts probes by outcome", async () => {
    const { counts, counted } = setup(loopState());
    const probe = { endpoint: { host: "203.0.113.9", port: 1 }, startedAt: 0, at: 0, why: "" };
    for (const [ok, tcp] of [
      [true, true],
      [false, true],
      [false, false],
      [false, false],
    ] as const)
      await counts.countedProbe(async () => ({ ...probe, ok, tcp }))(probe.endpoint, ID);
    expect(await counted("vast_pod_probe_results_total")).toEqual([
      'vast_pod_probe_results_total{outcome="passed"} 1',
      'vast_pod_probe_results_total{outcome="no_connection"} 2',
      'vast_pod_probe_results_total{outcome="bad_answer"} 1',
    ]);
  });

  test("counts destroys by reason", async () => {
    const destroy: Action = { kind: "destroy", id: ID, hostId: 1, machineId: 2, reason: "start_timeout" };
    const of = await run(destroy, { state: state() });
    expect(await of("vast_pod_destroys")).toEqual(['vast_pod_destroys_total{reason="start_timeout"} 1']);
  });

  test("counts bans that were written, and no others", async () => {
    const { counts, counted } = setup(loopState());
    await counts.countedBans(fakeBans([])).ban("machine", 5, "host_failed");
    await expect(counts.countedBans(fakeBans([], true)).ban("host", 5, "host_failed")).rejects.toThrow();
    expect(await counted("vast_pod_bans_total")).toEqual([
      'vast_pod_bans_total{kind="machine",reason="host_failed"} 1',
    ]);
  });

  test("counts a create that left a broken contract as a create and a destroy", async () => {
    const of = await run(createAction, { state: state(), created: "create_failed" });
    expect(await of("vast_pod_creates_total")).toEqual(['vast_pod_creates_total{outcome="create_failed"} 1']);
    expect(await of("vast_pod_destroys")).toEqual(['vast_pod_destroys_total{reason="create_failed"} 1']);
  });

  test("observes once how long an instance took until it was ready", async () => {
    const loop = loopState({ state: state({ tracks: { [ID]: waitingTrack(90 * SECOND) } }) });
    const { counts, of } = setup(loop);
    const before = loop.state;
    const ready = servingTrack({ waitingSince: NOW - 90 * SECOND, servingSince: NOW });
    loop.state = state({ tracks: { [ID]: ready } });
    counts.onPass(before);
    counts.onPass(loop.state);
    expect(await of("vast_pod_time_to_ready_seconds_sum")).toEqual(["vast_pod_time_to_ready_seconds_sum 90"]);
    expect(await of("vast_pod_time_to_ready_seconds_count")).toEqual(["vast_pod_time_to_ready_seconds_count 1"]);
    expect(await of("vast_pod_passes")).toEqual(["vast_pod_passes_total 2"]);
    expect(await of("vast_pod_pass_duration_seconds_count")).toEqual(["vast_pod_pass_duration_seconds_count 2"]);
  });

  test("observes no time to ready for an instance that was found ready", async () => {
    const loop = loopState({ state: state({ tracks: { [ID]: servingTrack() } }) });
    const { counts, of } = setup(loop);
    counts.onPass(state());
    expect(await of("vast_pod_time_to_ready_seconds_count")).toEqual(["vast_pod_time_to_ready_seconds_count 0"]);
  });
});

test("every metric has a help text and a name with the unit that Prometheus expects", async () => {
  const text = await setup(loopState({ ...serving(), file: fileOf() })).registry.metrics();
  const described = [...text.matchAll(/^# HELP (\S+) (.+)$/gm)];
  expect(described.length).toBeGreaterThan(15);
  for (const [, name = ""] of described) {
    expect(name).toMatch(/^vast_pod_[a-z_]+$/);
    const type = new RegExp(`^# TYPE ${name} (\\w+)$`, "m").exec(text)?.[1];
    expect([name, name.endsWith("_total")]).toEqual([name, type === "counter"]);
  }
});
