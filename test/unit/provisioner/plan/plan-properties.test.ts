// Laws that hold in every situation, checked on random ones: what the tests of single rules cannot show.
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { startState } from "../../../../provisioner/loop-state.ts";
import type { Bid } from "../../../../provisioner/model/bid.ts";
import { type Policy, UPDATE_PRECHECKS, UPDATE_STRATEGIES } from "../../../../provisioner/model/desired.ts";
import { currentEndpoint } from "../../../../provisioner/model/endpoint.ts";
import { known, type Observation, type Published } from "../../../../provisioner/model/observation.ts";
import { OURS, type Ownership } from "../../../../provisioner/model/ownership.ts";
import { givesUpServer, toPlan } from "../../../../provisioner/model/plan.ts";
import { decide } from "../../../../provisioner/plan/plan.ts";
import { applyPolicy } from "../../../../provisioner/plan/policy.ts";
import { nextOf } from "../../../../provisioner/report/next.ts";
import { applyObservation } from "../../../../provisioner/state/apply-observation.ts";
import {
  CURRENT_SCHEMA,
  emptyState,
  type State,
  stateSchema,
  type Track,
} from "../../../../provisioner/state/schema.ts";
import { recordTakeovers } from "../../../../provisioner/state/takeovers.ts";
import { createVastClient } from "../../../../provisioner/vast/client.ts";
import { fileOf } from "../loop.ts";
import { atOnce, desired, HASH, HOUR, LABEL, limits, MINUTE, NOW, template, unknown } from "./situation.ts";

const ids = [1, 2, 3];
/** Mostly the healthy value, else one of the others: all bad values at once would reach only the first rules. */
const mostly = <T>(healthy: T, ...others: T[]) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constant(healthy) },
    { weight: others.length, arbitrary: fc.constantFrom(...others) },
  );
const rarely = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null, freq: 1 });
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const past = fc
  .constantFrom(0, 1000, 30_000, MINUTE, 3 * MINUTE, 11 * MINUTE, 25 * MINUTE, HOUR, 3 * HOUR)
  .map((ms) => NOW - ms);
const soon = fc.constantFrom(-HOUR, -1, 0, 1, MINUTE, HOUR).map((ms) => NOW + ms);
const contractEnds = fc.constantFrom(-HOUR, MINUTE, 10 * MINUTE, 20 * MINUTE, 48 * HOUR).map((ms) => NOW + ms);
const someEndpoint = fc.record({ host: fc.constant("203.0.113.9"), port: fc.constantFrom(41234, 41235) });
const word = maybe(
  fc.constantFrom(
    "running",
    "loading",
    "created",
    "exited",
    "frozen",
    "unknown",
    "offline",
    "stopped",
    "rebooting",
    "new_word",
  ),
);
const difference = fc.record({
  wanted: fc.constantFrom("image example/app:2", `template hash ${HASH}`),
  reported: fc.constantFrom("image example/app:1", "template hash none", "template hash 0ld"),
});
const BID_CEILING = 0.45;
const WANTED = "demo example/app:2";

const outdated = fc.record({
  id: fc.constantFrom(...ids),
  wanted: fc.constant("image example/app:2"),
  reported: fc.constant("image example/app:1"),
  toBid: fc.option(fc.constant(true), { nil: undefined, freq: 3 }),
});
/** A row as the API sends it, with our label or another one. */
const rawRow = fc.record({
  id: fc.constantFrom(...ids),
  label: mostly<string | null>(LABEL, `${LABEL}0`, "", null),
  host_id: maybe(fc.constantFrom(10, 11)),
  machine_id: maybe(fc.constantFrom(20, 21)),
  actual_status: word,
  intended_status: mostly("running", "stopped"),
  cur_state: mostly("running", "stopped"),
  next_state: mostly("running", "stopped"),
  status_msg: mostly("success", "", "OCI runtime create failed", "manifest unknown", "no space left on device"),
  image_uuid: mostly("example/app:2", "example/app:1", ""),
  template_hash_id: mostly<string | null>(HASH, "0ld", null),
  public_ipaddr: fc.constantFrom("203.0.113.9\n", "", "a; }"),
  ports: maybe(
    fc.constantFrom(
      { "8000/tcp": [{ HostPort: "41234" }] },
      {},
      { "8000/tcp": [{ HostPort: "41234" }] },
      { "22/tcp": [{ HostPort: "5" }] },
    ),
  ),
  direct_port_start: fc.constantFrom(-1, 41234),
  dph_total: maybe(fc.constantFrom(0.3, 3)),
  storage_total_cost: maybe(fc.constant(0.05)),
  is_bid: fc.boolean(),
  min_bid: maybe(fc.constantFrom(0.1, 0.3, 0.4)),
  start_date: maybe(past.map((at) => at / 1000)),
  end_date: maybe(contractEnds.map((at) => at / 1000)),
});

const track: fc.Arbitrary<Track> = fc.record({
  waitingSince: past,
  firstSeenAt: past,
  runningSince: maybe(past),
  noMapSince: maybe(past),
  wasReady: fc.boolean(),
  serving: fc.boolean(),
  servingSince: maybe(past),
  endpoint: maybe(someEndpoint),
  failedProbes: fc.integer({ min: 0, max: 5 }),
  probedAt: past,
  streakSince: past,
  passesMissing: fc.integer({ min: 0, max: 2 }),
  tcpOpen: fc.boolean(),
  refusedSince: maybe(past),
  notServingSince: maybe(past),
  observedAt: maybe(past),
  unobservedMs: fc.constantFrom(0, 60_000),
  lost: maybe(fc.record({ since: past, reads: fc.integer({ min: 0, max: 3 }), readAt: past })),
  stopped: maybe(fc.record({ reads: fc.integer({ min: 1, max: 3 }), readAt: past })),
  uncountedRestarts: fc.integer({ min: 0, max: 2 }),
  contractEnd: maybe(fc.record({ at: contractEnds, since: past, reads: fc.integer({ min: 1, max: 3 }), readAt: past })),
  foundOutdated: maybe(fc.boolean()),
});

const someState: fc.Arbitrary<State> = fc.record({
  schema: fc.constant(CURRENT_SCHEMA),
  label: fc.constant(LABEL),
  generation: fc.nat(9),
  tracks: fc.dictionary(fc.constantFrom(...ids.map(String)), track),
  intent: rarely(
    fc.record({
      offerId: fc.constant(5),
      dollarsPerHour: fc.constant(null),
      hostId: maybe(fc.constant(10)),
      machineId: maybe(fc.constant(20)),
      label: fc.constant(LABEL),
      startedAt: past,
      contract: maybe(fc.constantFrom(...ids)),
      besides: fc.option(outdated, { nil: undefined }),
      fallback: fc.option(fc.constant(true), { nil: undefined }),
    }),
  ),
  pendingDeletes: fc.uniqueArray(
    fc.record({
      id: fc.constantFrom(...ids),
      reason: fc.constant("duplicate"),
      since: past,
      deleteSentAt: maybe(past),
    }),
    { selector: (d) => d.id, maxLength: 1 },
  ),
  creates: fc.array(past, { maxLength: 8 }),
  avoided: fc.array(fc.record({ machineId: fc.constantFrom(20, 21), until: soon, served: fc.boolean() }), {
    maxLength: 2,
  }),
  unwrittenBans: fc.array(
    fc.record({
      kind: fc.constantFrom("host", "machine"),
      id: fc.constantFrom(10, 11),
      reason: fc.constant("start_timeout"),
      instanceId: fc.constantFrom(...ids),
    }),
    { maxLength: 2 },
  ),
  hasServed: fc.boolean(),
  bidFailures: fc.array(past, { maxLength: 4 }),
  raisedBid: maybe(
    fc.record({
      instanceId: fc.constantFrom(...ids),
      dollarsPerHour: fc.constantFrom(0.2, 0.4),
      at: past,
      times: fc.integer({ min: 1, max: 4 }),
      refused: maybe(fc.constant("why")),
      cheaper: maybe(fc.constant(0.1)),
    }),
  ),
  fallback: maybe(
    fc.record({
      instanceIds: fc.constant([...ids]),
      since: past,
      looks: fc.nat(2),
      attempts: fc.nat(2),
      until: fc.oneof(past, soon),
      found: maybe(fc.record({ dollarsPerHour: fc.constant(0.2), at: past })),
    }),
  ),
  money: fc.constant(emptyState(LABEL).money),
  records: fc.constant(emptyState(LABEL).records),
  boots: maybe(fc.constant({ image: "example/app:2", bootMs: 60_000, appMs: 30_000 })).map((boot) =>
    boot ? [boot] : [],
  ),
  goneOffers: fc.array(fc.record({ id: fc.constant(5), until: soon }), { maxLength: 2 }),
  backoff: maybe(
    fc.record({
      reason: fc.constantFrom("no_offer", "offers_lost", "image_unavailable", "app_not_listening"),
      message: fc.constant("why"),
      failures: fc.constant(1),
      until: soon,
      wanted: fc.constantFrom(WANTED, "demo example/app:9"),
    }),
  ),
  account: fc.oneof(
    { weight: 9, arbitrary: fc.constant(null) },
    fc.record({
      trouble: fc.constantFrom("auth", "no_credit"),
      message: fc.constant("m"),
      failures: fc.constant(1),
      until: soon,
    }),
  ),
  converging: maybe(difference),
  replacements: fc.array(
    fc.record({ at: past, revision: fc.constantFrom(WANTED, "demo example/app:9", "contract end") }),
    {
      maxLength: 3,
    },
  ),
  takeovers: fc.record({
    vanishedAt: rarely(past),
    vanished: fc.subarray([...ids]),
    foreign: rarely(fc.record({ id: fc.constantFrom(...ids), at: past })),
    at: fc.array(past, { maxLength: 1 }),
  }),
  heldReplacement: maybe(
    fc.record({
      instanceId: fc.constantFrom(...ids),
      wanted: fc.constantFrom("image example/app:2", `template hash ${HASH}`),
      reason: fc.constant("destroy_refused"),
      message: fc.constant("why"),
      failures: fc.constant(1),
      until: soon,
    }),
  ),
  refusedEnd: maybe(fc.record({ rehearsedAt: maybe(past), inSpite: fc.constantFrom(0, 2) })),
  updating: rarely(
    fc.record({
      instanceId: fc.constantFrom(...ids),
      wanted: fc.constantFrom("image example/app:2", `template hash ${HASH}`),
      image: fc.constantFrom("example/app:2", "example/app:1"),
      templateHash: fc.constantFrom(HASH, "0ld"),
      startedAt: past,
      sentAt: maybe(past),
      recycledAt: maybe(past),
      failed: rarely(fc.constant("why")),
      before: maybe(fc.constant({ image: "example/app:1", templateHash: "0ld" })),
      statusBefore: fc.constantFrom("success", "manifest unknown"),
      undo: rarely(fc.record({ why: fc.constant("why"), unanswered: fc.nat(2) })),
    }),
  ),
  surge: rarely(fc.record({ old: outdated, newId: maybe(fc.constantFrom(...ids)), since: past })),
  templateBefore: maybe(fc.record({ hash: fc.constant("0ld"), portFlags: fc.constantFrom("", "8000:8000") })),
  notListening: maybe(fc.record({ wanted: fc.constant(WANTED), count: fc.nat(3) })),
  brokenImages: maybe(fc.record({ wanted: fc.constant(WANTED), count: fc.nat(3) })),
  unreachableHost: maybe(fc.constantFrom(10, 11)),
  confirmedNone: mostly(true, false),
  firstNoneAt: maybe(past),
  template: fc.option(
    past.map((seenAt) => ({ ...template, seenAt, readAt: seenAt })),
    { nil: null, freq: 9 },
  ),
  observedAt: maybe(past),
  listUnknownSince: maybe(past),
  bansUnknownSince: maybe(past),
  revision: maybe(fc.constant(desired.revision)),
  accountId: maybe(fc.constant(4321)),
  fleetSize: fc.nat(1000),
  leaseToken: maybe(fc.constant("t0-k3-n")),
  history: fc.constant([]),
});

const counters = fc.record({ waitingSince: maybe(past), restarts: fc.constantFrom(0, 5, 6) });
const situation = fc.record({
  before: someState,
  raw: fc.oneof(
    fc.array(rawRow, { maxLength: 0 }),
    { weight: 3, arbitrary: fc.array(rawRow, { minLength: 1, maxLength: 1 }) },
    fc.uniqueArray(rawRow, { selector: (r) => r.id, maxLength: 3 }),
  ),
  listKnown: mostly(true, false),
  /** Only one instance was asked for, because the list failed. */
  partial: mostly(false, true),
  templateSeen: mostly<Observation["template"]>(known(template), known(null), unknown("HTTP 500")),
  bansSeen: mostly<Observation["bans"]>(
    known([]),
    known([{ kind: "host", id: 10, reason: "start_timeout" }]),
    known([{ kind: "machine", id: 10, reason: "start_timeout" }]),
    unknown("Redis: away"),
  ),
  counters: fc.dictionary(fc.constantFrom(...ids.map(String)), counters),
  probe: fc.record({ answers: fc.boolean(), ok: fc.boolean(), tcp: fc.boolean() }),
  publishedId: maybe(fc.constantFrom(...ids)),
  bansEnabled: fc.boolean(),
  httpProbe: fc.boolean(),
  updateStrategy: fc.constantFrom(...UPDATE_STRATEGIES),
  updatePrecheck: fc.constantFrom(...UPDATE_PRECHECKS),
  bidding: maybe(
    fc.record({ bid: fc.constantFrom<Bid>({ factor: 1.2 }, { dollarsPerHour: 0.2 }), fallsBack: fc.boolean() }),
  ),
  ownership: mostly<Ownership>(
    OURS,
    { kind: "other", owner: "vast-pod-0", until: NOW + MINUTE },
    { kind: "unknown", why: "Command timed out", until: NOW + MINUTE },
  ),
});
type Drawn = typeof situation extends fc.Arbitrary<infer T> ? T : never;

/** The parts of a pass that decide: the client's parsing of the rows, the state after them and the plan. */
async function planOf(drawn: Drawn) {
  const raw = drawn.partial ? drawn.raw.slice(0, 1) : drawn.raw;
  const client = createVastClient(async () => ({ success: true, instances: raw, total_instances: raw.length }));
  const rows = await client.listInstances(LABEL);
  const { answers, ok, tcp } = drawn.probe;
  const instances = rows.map((row) => {
    const endpoint = currentEndpoint(row, drawn.before.tracks[row.id], desired.upstreamPort, NOW);
    const probe =
      endpoint.found && answers ? { endpoint: endpoint.endpoint, ...atOnce(NOW), ok, tcp: ok || tcp, why: "" } : null;
    return { row, endpoint, probe };
  });
  const seen: Observation = {
    listedAt: NOW,
    list: drawn.listKnown ? known(rows) : unknown(),
    template: drawn.templateSeen,
    templateAt: NOW,
    bans: drawn.bansSeen,
    counters: new Map(Object.entries(drawn.counters).map(([id, value]) => [Number(id), value])),
    instances: drawn.listKnown ? instances : [],
    publishedProbe: null,
    ...(drawn.listKnown && drawn.partial ? { partial: { message: "HTTP 502", account: null } } : {}),
  };
  const state = applyObservation(drawn.before, seen, desired, 10_000, NOW);
  const published: Published =
    drawn.publishedId === null
      ? { server: null, instance: null }
      : {
          server: { scheme: "http", host: "203.0.113.9", port: 41234 },
          instance: { id: drawn.publishedId, hostId: 10, machineId: 20, image: "example/app:2", templateHash: HASH },
        };
  const input = {
    desired,
    seen,
    state,
    ownership: drawn.ownership,
    now: NOW,
    limits: {
      ...limits,
      bansEnabled: drawn.bansEnabled,
      httpProbe: drawn.httpProbe,
      updateStrategy: drawn.updateStrategy,
      updatePrecheck: drawn.updatePrecheck,
      ...(drawn.bidding === null ? {} : { bidding: drawn.bidding, maxDollarsPerHour: BID_CEILING }),
    },
  };
  const decision = decide(input, published);
  return {
    input,
    published,
    rows,
    state,
    decideAgain: () => decide(input, published),
    decision,
    result: toPlan(decision),
  };
}

type Law = (made: Awaited<ReturnType<typeof planOf>>, drawn: Drawn) => void;
const RUNS = { numRuns: 1500 };

const holdsIn = (drawn: fc.Arbitrary<Drawn>, law: Law, runs: fc.Parameters<[Drawn]> = RUNS) =>
  fc.assert(
    fc.asyncProperty(drawn, async (one) => law(await planOf(one), one)),
    runs,
  );

// Drawn and planned once for all laws: that costs more than the laws.
const SHARED = { ...RUNS, seed: Math.floor(Math.random() * 2 ** 31) };
const shared: Parameters<Law>[] = [];
beforeAll(() => holdsIn(situation, (...one) => void shared.push(one), SHARED));

/** A law that is broken is checked again on the same situations, one by one, to find the least that breaks it. */
async function holds(law: Law): Promise<void> {
  try {
    for (const one of shared) law(...one);
  } catch {
    await holdsIn(situation, law, SHARED);
    throw new Error(
      "the law was broken only by a situation that other laws had read before: one of them has changed it",
    );
  }
}
// Nearly nothing else prevents a change, so that the list decides.
const partialOnly = situation.map((drawn) => ({
  ...drawn,
  listKnown: true,
  partial: true,
  ownership: OURS,
  raw: drawn.raw.map((row) => ({ ...row, label: LABEL })),
  before: { ...drawn.before, account: null, heldReplacement: null, replacements: [] },
}));

test("the random states are states that a state file can hold", () =>
  fc.assert(
    fc.property(someState, (m) => {
      expect(stateSchema.safeParse(m).success).toBe(true);
    }),
  ));

test("every situation is decided by a rule: the last one, internal_error, is never reached", () =>
  holds(({ result }) => {
    expect(result.reason).not.toBe("internal_error");
    expect(result.message).not.toBe("");
    expect(result.nextCheckAt).toBeGreaterThanOrEqual(NOW);
  }));

test("what comes next can be said in every situation, and its deadline is an instant at which something else is decided", () =>
  holds(({ input, result, published }) => {
    const { seen, state, ownership } = input;
    const file = fileOf(published);
    const loop = { ...startState(state, NOW), seen, ownership, plan: result, file, nextPassAt: result.nextCheckAt };
    const next = nextOf(loop, { ...input, policy: "sync", firstCreateWaitMs: 10_000 }, NOW);
    expect(next?.waitsFor).toMatch(/^\w.*\w$/);
    expect(next?.afterwards).toMatch(/\S/);
    if (next?.deadline == null) return;
    expect(Date.parse(next.deadline)).toBeGreaterThan(NOW);
    const then = nextOf(loop, { ...input, policy: "sync", firstCreateWaitMs: 10_000 }, Date.parse(next.deadline));
    expect(then?.waitsFor === next.waitsFor && then.deadline === next.deadline).toBe(false);
  }));

test("an unknown list leads to no action", () =>
  holds(({ result }, drawn) => {
    if (!drawn.listKnown) expect(result.actions).toEqual([]);
  }));

test("a list of one instance alone creates, updates and forgets nothing, gives up no server and destroys no instance but that one", () =>
  holdsIn(partialOnly, ({ input, result, rows, decision, state }, drawn) => {
    expect(givesUpServer(decision)).toBe(false);
    for (const action of result.actions) {
      expect(["create", "update", "forget_intent", "check_replacement", "look_for_bid"]).not.toContain(action.kind);
      if (action.kind === "destroy") expect(rows.map(({ id }) => id)).toContain(action.id);
    }
    const { before } = drawn;
    expect(state.pendingDeletes).toEqual(before.pendingDeletes);
    const pending = before.pendingDeletes.map(({ id }) => String(id));
    const tracked = Object.keys(before.tracks).filter((id) => !pending.includes(id));
    expect(Object.keys(state.tracks)).toEqual(expect.arrayContaining(tracked));
    if (before.intent?.contract === null) expect(state.intent).toEqual(before.intent);
    expect(state.confirmedNone).toBe(before.confirmedNone);
    expect(recordTakeovers(before, state, input.seen, NOW)).toEqual(state);
  }));

test("a label that is not ours, or may not be, leads to no action", () =>
  holds(({ result, input }) => {
    if (input.ownership.kind !== "ours") expect(result.actions).toEqual([]);
  }));

test("no instance without our label, and none that is being destroyed, is ever published or prevents a second one", () =>
  holds(({ result, state }, drawn) => {
    if (!drawn.listKnown) return;
    const othersIds = drawn.raw.filter((r) => r.label !== LABEL).map((r) => r.id);
    const pendingDeletes = state.pendingDeletes.map((d) => d.id);
    if (result.server !== null) expect([...othersIds, ...pendingDeletes]).not.toContain(result.instance?.id);
    for (const action of result.actions) {
      if (action.kind === "update") expect([...othersIds, ...pendingDeletes]).not.toContain(action.id);
      if (action.kind === "destroy" && !pendingDeletes.includes(action.id) && action.reason !== "create_never_appeared")
        expect(othersIds).not.toContain(action.id);
    }
  }));

test("at most one instance is created, and none while one that is not being destroyed is listed, except beside the one that serves", () =>
  holds(({ result, rows, state }, drawn) => {
    const creates = result.actions.filter((action) => action.kind === "create");
    const [create] = creates;
    expect(creates.length).toBeLessThanOrEqual(1);
    const kept = rows.filter((row) => !state.pendingDeletes.some((d) => d.id === row.id)).map(({ id }) => id);
    if (create?.besides !== undefined) {
      expect(drawn.updateStrategy).toBe("surge");
      expect(kept).toEqual([create.besides.id]);
      expect(result.server).not.toBeNull();
    } else if (kept.length > 0) expect(create).toBeUndefined();
    if (create !== undefined) {
      expect(state.creates.length).toBeLessThan(limits.maxCreatesPerHour);
      expect(state.intent).toBeNull();
      expect(state.confirmedNone).toBe(true);
    }
  }));

test("a serving instance with the right image and hash is destroyed as a duplicate, or near the end of its contract", () =>
  holds(({ result, rows, state }) => {
    for (const action of result.actions) {
      if (action.kind !== "destroy") continue;
      const row = rows.find((r) => r.id === action.id);
      const right = row?.image === "example/app:2" && row.templateHash === (state.template?.hash ?? HASH);
      const serving = state.tracks[action.id];
      if (!right || !serving?.serving) continue;
      expect(["duplicate", "contract_ending"]).toContain(action.reason);
      if (action.reason !== "contract_ending") continue;
      expect(serving.contractEnd?.reads).toBeGreaterThan(1);
      expect((row.endsAt ?? Number.NaN) - NOW).toBeLessThanOrEqual(limits.endMarginMs);
    }
  }));

test("a serving instance is withdrawn only for another image or template, or the end of its contract", () =>
  holds(({ result, rows, state }, drawn) => {
    const serving = rows.some((row) => state.tracks[row.id]?.serving);
    if (!drawn.listKnown || !serving || result.server !== null) return;
    expect(["image_changed", "template_changed", "contract_ending"]).toContain(result.reason);
  }));

test("an instance is updated at most once at a time, and only where the strategy says so", () =>
  holds(({ result, rows }, drawn) => {
    const updates = result.actions.filter((action) => action.kind === "update");
    expect(updates.length).toBeLessThanOrEqual(drawn.updateStrategy === "in-place" ? 1 : 0);
    for (const { id } of updates) expect(rows.map((row) => row.id)).toContain(id);
    if (updates.length > 0) expect(result.actions.some((action) => action.kind === "create")).toBe(false);
  }));

test("a bid is raised only for a listed instance of the label that was rented with one, is stopped and not served, under the ceiling", () =>
  holds(({ result, rows }, drawn) => {
    const raises = result.actions.filter((action) => action.kind === "raise_bid");
    expect(raises.length).toBeLessThanOrEqual(drawn.bidding === null ? 0 : 1);
    for (const { id, dollarsPerHour, unless } of raises) {
      const row = rows.find((one) => one.id === id);
      expect(row).toMatchObject({ label: LABEL, isBid: true });
      expect([row?.actualStatus, row?.intendedStatus, row?.curState, row?.nextState]).toContain("stopped");
      expect(result.server).toBeNull();
      expect(dollarsPerHour + (row?.diskDollarsPerHour ?? Number.NaN)).toBeLessThanOrEqual(BID_CEILING);
      expect(dollarsPerHour).toBeGreaterThan(row?.gpuDollarsPerHour ?? Number.NaN);
      expect(unless?.belowDollarsPerHour ?? 0).toBeLessThan(dollarsPerHour + (row?.diskDollarsPerHour ?? Number.NaN));
      expect(result.actions.map(({ kind }) => kind)).not.toContain("create");
    }
  }));

test("a bid is looked for, and an instance created with it, only while a cheaper one is worth it and nothing is given up for it", () =>
  holds(({ result, decision, rows, state }, drawn) => {
    for (const action of result.actions) {
      const isReturn = action.kind === "create" && action.besides?.toBid === true;
      if (action.kind !== "look_for_bid" && !isReturn) continue;
      const { bid, maxDollarsPerHour } = action.kind === "look_for_bid" ? action.create : action;
      const serving = rows.find(({ id }) => id === result.instance?.id);
      expect(drawn).toMatchObject({ updateStrategy: "surge", bidding: { fallsBack: true, bid } });
      expect(serving?.isBid).toBe(false);
      expect(maxDollarsPerHour).toBeLessThan(serving?.dollarsPerHour ?? 0);
      expect(maxDollarsPerHour).toBeLessThanOrEqual(BID_CEILING);
      expect(state.bidFailures).toEqual([]);
      expect([givesUpServer(decision), result.state]).toEqual([false, "ready"]);
    }
  }));

test("a container that was replaced and is not proven to be the wanted one is not published", () =>
  holds(({ result, state }, drawn) => {
    const { updating } = state;
    if (!drawn.listKnown || updating === null || updating.recycledAt === null || updating.failed !== null) return;
    if (result.server !== null) expect(result.instance?.id).not.toBe(updating.instanceId);
  }));

test("what is published is withdrawn by the same plan that destroys or updates it", () =>
  holds(({ result }) => {
    const destroyed = result.actions.flatMap((action) =>
      action.kind === "destroy" || action.kind === "update" ? [action.id] : [],
    );
    if (result.server !== null) expect(destroyed).not.toContain(result.instance?.id);
  }));

test("hosts are banned only for their own failures, and never while bans are disabled", () =>
  holds(({ result }, drawn) => {
    const bans = result.actions.flatMap((action) => (action.kind === "ban" ? [action.reason] : []));
    if (!drawn.bansEnabled) expect(bans).toEqual([]);
    for (const reason of bans) expect(["start_timeout", "host_failed", "too_many_restarts"]).toContain(reason);
  }));

test("planning twice gives the same", () =>
  holds(({ decideAgain, input, decision }) => {
    const frozen = structuredClone(input);
    expect(decideAgain()).toEqual(decision);
    expect(input).toEqual(frozen);
  }));

test("observe leaves nothing that changes anything, no-destroy leaves no destroy", () =>
  holds(({ decision, result }) => {
    const kinds = (policy: Policy) => applyPolicy(decision, policy).decision.actions.map((action) => action.kind);
    for (const kind of ["create", "destroy", "update", "ban"]) expect(kinds("observe")).not.toContain(kind);
    expect(kinds("no-destroy")).not.toContain("destroy");
    expect(kinds("sync")).toEqual(result.actions.map((action) => action.kind));
  }));
