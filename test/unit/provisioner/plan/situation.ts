// Builders of the input of a pass: rows, tracks, state, observation. Each starts from a healthy instance. Pure.

import { type Desired, type Limits, revisionOf } from "../../../../provisioner/model/desired.ts";
import { chooseEndpoint, currentEndpoint } from "../../../../provisioner/model/endpoint.ts";
import {
  known,
  type Observation,
  type ProbeResult,
  type Published,
  type Seen,
} from "../../../../provisioner/model/observation.ts";
import { OURS } from "../../../../provisioner/model/ownership.ts";
import { type CreateAction, type Decision, type Plan, toPlan } from "../../../../provisioner/model/plan.ts";
import type { PlanInput } from "../../../../provisioner/plan/input.ts";
import { decide } from "../../../../provisioner/plan/plan.ts";
import type { Filters } from "../../../../provisioner/search/fields.ts";
import type { SearchQuery } from "../../../../provisioner/search/query.ts";
import { emptyState, type State, type Track } from "../../../../provisioner/state/schema.ts";
import type { Instance, Offer, Template } from "../../../../provisioner/vast/rows.ts";

export const NOW = Date.UTC(2026, 10, 23, 15);
export const SECOND = 1000;
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const LABEL = "k8s_pod=vast-pod-0";
export const HASH = "4e17aa01";

export const desired: Desired = {
  label: LABEL,
  image: "example/app:2",
  templateName: "demo",
  revision: "demo example/app:2",
  upstreamPort: undefined,
  upstreamScheme: "http",
};

/** The default settings. */
export const limits: Limits = {
  bansEnabled: true,
  banScope: "host",
  banAfterMs: 1200 * SECOND,
  restartThreshold: 5,
  unknownMaxMs: HOUR,
  httpProbe: false,
  unreachableMs: 300 * SECOND,
  unhealthyMs: 1800 * SECOND,
  maxDollarsPerHour: undefined,
  maxCreatesPerHour: 6,
  bidding: null,
  updateStrategy: "recreate",
  updatePrecheck: "offer",
  surgeReady: "old",
  endMarginMs: 900 * SECOND,
};

export const template: Template = { id: 1, hash: HASH, name: "demo", creatorId: 9, diskSpace: 32, publishedPorts: 1 };

/** The create of the desired instance. */
export const createAction: CreateAction = {
  kind: "create",
  label: LABEL,
  image: "example/app:2",
  templateName: "demo",
  templateHash: HASH,
  maxDollarsPerHour: null,
};

/** A running row of an hour's age with the right image and hash. */
export function row(over: Partial<Instance> = {}): Instance {
  const id = over.id ?? 7835610;
  return {
    id,
    label: LABEL,
    hostId: 77001,
    machineId: 4821,
    actualStatus: "running",
    intendedStatus: "running",
    curState: "running",
    nextState: "running",
    statusMessage: "success, running example/app_2/args",
    image: "example/app:2",
    templateHash: HASH,
    address: "203.0.113.9",
    ports: { "8000/tcp": 41234 },
    directPortStart: 41234,
    dollarsPerHour: 0.3164,
    diskDollarsPerHour: 0.0064,
    gpuDollarsPerHour: 0.31,
    diskGb: 32,
    gpuName: "RTX 4090",
    gpus: 1,
    createdAt: NOW - HOUR,
    endsAt: null,
    isBid: false,
    minBid: null,
    ...over,
  };
}

/** A row that the API is still bringing up. */
export function startingRow(over: Partial<Instance> = {}): Instance {
  return row({ actualStatus: "loading", address: "", ports: null, directPortStart: null, statusMessage: "", ...over });
}

export const endpoint = { host: "203.0.113.9", port: 41234 };

/** An instance that has been serving for half an hour. */
export function servingTrack(over: Partial<Track> = {}): Track {
  return {
    waitingSince: NOW - HOUR,
    firstSeenAt: NOW - HOUR,
    runningSince: NOW - HOUR / 2,
    noMapSince: null,
    wasReady: true,
    serving: true,
    servingSince: NOW - HOUR / 2,
    endpoint,
    failedProbes: 0,
    probedAt: 0,
    streakSince: 0,
    passesMissing: 0,
    tcpOpen: true,
    refusedSince: null,
    notServingSince: null,
    lost: null,
    observedAt: NOW,
    unobservedMs: 0,
    stopped: null,
    uncountedRestarts: 0,
    contractEnd: null,
    foundOutdated: false,
    ...over,
  };
}

/** An instance that was never ready and has been waited for since `ms` ago. */
export function waitingTrack(ms: number, over: Partial<Track> = {}): Track {
  const since = NOW - ms;
  return {
    ...servingTrack(),
    waitingSince: since,
    firstSeenAt: since,
    runningSince: null,
    wasReady: false,
    serving: false,
    servingSince: null,
    endpoint: null,
    tcpOpen: false,
    notServingSince: since,
    ...over,
  };
}

/** An instance that was ready and has not answered since `ms` ago. */
export function silentTrack(ms: number, over: Partial<Track> = {}): Track {
  return servingTrack({
    serving: false,
    servingSince: null,
    failedProbes: 3,
    passesMissing: 2,
    tcpOpen: false,
    notServingSince: NOW - ms,
    ...over,
  });
}

/** The state of a provisioner that has read complete lists and the template before. */
export function state(over: Partial<State> = {}): State {
  return {
    ...emptyState(LABEL),
    confirmedNone: true,
    observedAt: NOW,
    template: { ...template, seenAt: NOW, readAt: NOW },
    ...over,
  };
}

export const tracks = (id: number, t: Track): State["tracks"] => ({ [id]: t });

export function unknown<T>(message = "GET /api/v1/instances/: HTTP 502", account: null | "auth" = null): Seen<T> {
  return { known: false, why: { message, account } };
}

/** `probes` are by instance id: of the listed instances or, while the list is unknown, of the published one. */
interface ObservationChanges extends Partial<Omit<Observation, "instances" | "publishedProbe">> {
  probes?: ReadonlyMap<number, ProbeResult>;
}

/** A complete list of the given rows, with nothing banned, counted or probed. Endpoints are chosen as for a new instance. */
export function observation(rows: readonly Instance[] = [], { probes, ...over }: ObservationChanges = {}): Observation {
  const results = probes ?? new Map<number, ProbeResult>();
  const [published] = over.list?.known === false ? results : [];
  return {
    listedAt: NOW,
    list: known(rows),
    template: known(template),
    templateAt: NOW,
    bans: known([]),
    counters: new Map(),
    instances: rows.map((row) => ({
      row,
      endpoint: chooseEndpoint(row, desired.upstreamPort, 0),
      probe: results.get(row.id) ?? null,
    })),
    publishedProbe: published === undefined ? null : { instanceId: published[0], probe: published[1] },
    ...over,
  };
}

/** The same observation with the endpoints that the observer chooses when it knows `before`. */
export function observedWith(before: State, seen: Observation, now: number): Observation {
  const instances = seen.instances.map((one) => ({
    ...one,
    endpoint: currentEndpoint(one.row, before.tracks[one.row.id], desired.upstreamPort, now),
  }));
  return { ...seen, instances };
}

// Each probe ends ten seconds after the one that a test made before.
let probedAt = NOW;
const later = () => {
  probedAt += 10 * SECOND;
  return probedAt;
};
/** The times of a probe that is answered or refused at once. */
export const atOnce = (at: number) => ({ startedAt: at, at });
export const passing = (where = endpoint) => ({ endpoint: where, ...atOnce(later()), ok: true, tcp: true, why: "" });
export const failing = (where = endpoint, tcp = false) => ({
  endpoint: where,
  ...atOnce(later()),
  ok: false,
  tcp,
  why: "ECONNREFUSED",
});

export const nothingPublished: Published = { server: null, instance: null };

export function published(r: Instance = row()): Published {
  return {
    server: { scheme: "http", ...endpoint },
    instance: { id: r.id, hostId: r.hostId, machineId: r.machineId, image: r.image, templateHash: r.templateHash },
  };
}

export interface SituationChanges extends Partial<Omit<PlanInput, "limits" | "desired">> {
  limits?: Partial<Limits>;
  desired?: Partial<Desired>;
  published?: Published;
}

/** The published plan of a situation; what is left out is the healthy default. */
export function planned(situation: SituationChanges): Plan {
  return toPlan(decided(situation));
}

/** The decision on a situation, before any policy. */
export function decided(situation: SituationChanges): Decision {
  return decide(inputOf(situation), situation.published ?? nothingPublished);
}

export function inputOf(situation: SituationChanges): PlanInput {
  const wanted = { ...desired, ...situation.desired };
  return {
    desired: { ...wanted, revision: revisionOf(wanted.templateName, wanted.image) },
    limits: { ...limits, ...situation.limits },
    seen: situation.seen ?? observation(),
    state: situation.state ?? state(),
    ownership: situation.ownership ?? OURS,
    now: situation.now ?? NOW,
  };
}

export const offer = (over: Partial<Offer> = {}): Offer => ({
  id: 31415926,
  hostId: 77001,
  machineId: 4821,
  dollarsPerHour: 0.3164,
  gpuName: "RTX 4090",
  rentable: true,
  fields: {},
  ...over,
});

/** What can be rented with a bid of at least `smallest` $/h; its disk costs $0.01/h more. */
export const bidOffer = (id: number, smallest: number): Offer =>
  offer({
    id,
    machineId: id,
    fields: { disk_space: 100, direct_port_count: 9, duration: 1e7, dph_base: smallest, storage_total_cost: 0.01 },
  });

/** A JSON query of these filters. */
export const query = (filters: Filters = {}, options: SearchQuery["options"] = {}): SearchQuery => ({
  filters,
  options,
  unknown: [],
  warnings: [],
  byExpectedCost: false,
  minDurationSeconds: filters.duration === undefined && filters.end_date === undefined ? 86_400 : 0,
});
