// The document of the command `status`: the pods of an account by its instances and by what the provisioners say, the worst first, and what
// they cost. Pure.
import type { SeenReport } from "../fleet/reports.ts";
import { gpuText } from "../model/describe.ts";
import { chooseEndpoint } from "../model/endpoint.ts";
import { phaseOf } from "../model/instance-phase.ts";
import type { Seen } from "../model/observation.ts";
import type { Instance } from "../vast/rows.ts";
import { type PodStatus, podWithoutInstance, withReport } from "./pod-status.ts";
import type { StatusDocument } from "./status-document.ts";

/** Grows when a field changes its meaning or goes away. */
const FLEET_STATUS_SCHEMA = 1;

export interface FleetStatus {
  schema: typeof FLEET_STATUS_SCHEMA;
  at: string;
  /** The worst first. */
  pods: readonly PodStatus[];
  /** Of the instances that are shown. Null: the list, or the price of one, is unknown. */
  totals: { instances: number | null; dollarsPerHour: number | null; soFarDollars: number | null };
  /** Of the account. Null: unknown. */
  creditDollars: number | null;
  /** How long the credit lasts at the price of the whole account. Null: unknown, or nothing is paid for. */
  creditHours: number | null;
  /** The document of the provisioner that answers here; null where none does. */
  own: StatusDocument | null;
  /** Whether it is known what the other provisioners say: `no_redis` where no Redis of the fleet is set. */
  reports: "known" | "unknown" | "no_redis";
  /** What could not be read. */
  problems: readonly string[];
}

export interface FleetReading {
  /** The instances that were asked for, by label and under "" without one; null: only the provisioner here was asked. */
  lists: Seen<ReadonlyMap<string, readonly Instance[]>> | null;
  /** The price of all instances of the account, $/h; null: unknown. */
  accountDollarsPerHour: number | null;
  own: StatusDocument | null;
  /** What the provisioners of the pods that were asked for say, by label. Null: it could not be read, or no Redis is set. */
  reports: ReadonlyMap<string, SeenReport> | "unknown" | "no_redis";
  /** The labels whose pod no StatefulSet wants; null: nobody can tell. */
  orphans: ReadonlySet<string> | null;
  credit: Seen<number | null>;
  problems: readonly string[];
  now: number;
}

const MS_PER_HOUR = 3_600_000;
// The worst first. Words that are not here are of instances that are lost.
const WORST_FIRST: readonly string[] = [
  "duplicate",
  "orphan",
  "silent",
  "blocked",
  "unavailable",
  "lost",
  "provisioning",
  "loading",
];
const BEST: readonly string[] = ["running", "ready"];

export function fleetStatus(reading: FleetReading): FleetStatus {
  const { lists, own, credit, accountDollarsPerHour: rate, now } = reading;
  const isKnown = lists === null ? own?.list?.known === true : lists.known;
  const pods = podsOf(reading).toSorted((a, b) => rankOf(a) - rankOf(b) || collator.compare(a.pod, b.pod));
  const instances = pods.filter(({ instanceId }) => instanceId !== null);
  const creditDollars = credit.known ? credit.value : (own?.money.creditDollars ?? null);
  return {
    schema: FLEET_STATUS_SCHEMA,
    at: new Date(now).toISOString(),
    pods,
    totals: {
      instances: isKnown ? instances.length : null,
      dollarsPerHour: isKnown ? totalOf(instances.map((pod) => pod.dollarsPerHour)) : null,
      soFarDollars: isKnown ? totalOf(instances.map((pod) => pod.soFarDollars)) : null,
    },
    creditDollars,
    creditHours: creditDollars === null || rate === null || rate <= 0 ? null : Math.max(0, creditDollars) / rate,
    own,
    reports: typeof reading.reports === "string" ? reading.reports : "known",
    problems: reading.problems,
  };
}

const collator = new Intl.Collator("en", { numeric: true });

function rankOf({ state }: PodStatus): number {
  const bad = WORST_FIRST.indexOf(state);
  if (bad >= 0) return bad;
  const good = BEST.indexOf(state);
  return good >= 0 ? WORST_FIRST.length + good : WORST_FIRST.indexOf("lost");
}

/** Null where one of them is unknown. */
export function totalOf(amounts: readonly (number | null)[]): number | null {
  return amounts.reduce((total, amount) => (total === null || amount === null ? null : total + amount), 0);
}

function podsOf({ lists, own, reports, orphans, now }: FleetReading): PodStatus[] {
  const byLabel = new Map<string, readonly Instance[]>(lists?.known ? lists.value : []);
  const reported = typeof reports === "string" ? new Map<string, SeenReport>() : reports;
  // Without an instance, a pod that nobody wants is no pod.
  for (const label of reported.keys()) if (!byLabel.has(label) && !orphans?.has(label)) byLabel.set(label, []);
  const pods = [...byLabel].flatMap(([label, same]) => {
    if (own !== null && label === own.label) return [];
    const seen = reported.get(label);
    const ranked = label === "" ? [] : same.toSorted((a, b) => compare(a, b, now));
    const kept = ranked.find(({ id }) => id === seen?.report?.instanceId) ?? ranked[0];
    if (kept === undefined) {
      if (seen === undefined) return same.map((row) => fromRow(row, now));
      const instanceId = lists?.known ? null : (seen.report?.instanceId ?? null);
      return [withReport(podWithoutInstance(label, instanceId), seen, now)];
    }
    const others = ranked.filter((row) => row !== kept);
    const isOrphan = orphans?.has(label) === true;
    return [
      isOrphan
        ? { ...fromRow(kept, now), state: "orphan", why: ORPHAN }
        : seen === undefined
          ? fromRow(kept, now)
          : withReport(fromRow(kept, now), seen, now),
      ...others.map((row) => ({ ...fromRow(row, now), state: "duplicate", why: `beside ${kept.id}: ${DUPLICATE}` })),
    ];
  });
  return own === null ? pods : [...ownPods(own), ...pods];
}

const ORPHAN = "no StatefulSet wants its pod: destroy it with vast-provisioner reap --yes";
const DUPLICATE = "its provisioner destroys it, or no provisioner runs";

/** The one that its provisioner would keep comes first: running, starting, lost, then the oldest. */
function compare(a: Instance, b: Instance, now: number): number {
  const rank = (row: Instance) =>
    ["running", "starting", "lost"].indexOf(phaseOf(row, row.createdAt ?? now, now).phase);
  return rank(a) - rank(b) || a.id - b.id;
}

/** What the API alone shows. */
function fromRow(row: Instance, now: number): PodStatus {
  const phase = phaseOf(row, row.createdAt ?? now, now);
  const state = phase.phase === "lost" ? phase.status : phase.phase === "running" ? "running" : "loading";
  const endpoint = chooseEndpoint(row, undefined, 0);
  const where = endpoint.found ? `${endpoint.endpoint.host}:${endpoint.endpoint.port}` : null;
  const { dollarsPerHour, createdAt } = row;
  return {
    ...podWithoutInstance(row.label ?? "", row.id),
    label: row.label,
    state,
    gpu: gpuText(row) || null,
    dollarsPerHour,
    soFarDollars: estimate(dollarsPerHour, createdAt, now),
    image: row.image || null,
    templateHash: row.templateHash,
    hostId: row.hostId,
    machineId: row.machineId,
    createdAt: isoOrNull(createdAt),
    endsAt: isoOrNull(row.endsAt),
    endpoint: where,
    why: state === "running" ? (where ?? row.statusMessage) : row.statusMessage || (row.actualStatus ?? "scheduled"),
  };
}

function estimate(dollarsPerHour: number | null, createdAt: number | null, now: number): number | null {
  if (dollarsPerHour === null || createdAt === null) return null;
  return (dollarsPerHour * Math.max(0, now - createdAt)) / MS_PER_HOUR;
}

/** What the pod's provisioner knows: it also knows why there is no instance. */
function ownPods(own: StatusDocument): PodStatus[] {
  const now = Date.parse(own.at);
  const current = own.instances.find((one) => one.current) ?? null;
  const others = own.instances.filter((one) => one !== current);
  const { next } = own;
  const common = { pod: own.pod, label: own.label, paidDollars: null, wastedDollars: null };
  const ofInstance = (one: StatusDocument["instances"][number] | null) => ({
    instanceId: one?.id ?? null,
    gpu: one?.gpu || null,
    dollarsPerHour: one?.dollarsPerHour ?? null,
    soFarDollars: one === null ? null : estimate(one.dollarsPerHour, instant(one.createdAt), now),
    image: one?.image || null,
    templateHash: one?.templateHash ?? null,
    hostId: one?.hostId ?? null,
    machineId: one?.machineId ?? null,
    createdAt: one?.createdAt ?? null,
    endsAt: one?.endsAt ?? null,
    pendingPrice: one?.pendingPrice ?? null,
    endpoint: one?.endpoint ? `${one.endpoint.host}:${one.endpoint.port}` : null,
  });
  const loads = current !== null && current.serving !== true && current.statusMessage !== "";
  const about = ofInstance(current);
  const main: PodStatus = {
    ...common,
    ...about,
    image: about.image ?? own.desired.image,
    paidDollars: own.money.paidDollars,
    wastedDollars: own.money.wastedDollars,
    soFarDollars: own.money.instanceDollars ?? about.soFarDollars,
    state: own.state ?? "provisioning",
    since: own.since,
    why: own.state === "ready" || !loads ? (own.message ?? "the first pass has not finished") : current.statusMessage,
    next: next && { waitsFor: next.waitsFor, text: next.afterwards, at: next.deadline },
  };
  return [
    main,
    ...others.map((one) => ({
      ...common,
      ...ofInstance(one),
      state: one.pendingDelete ? "destroying" : "duplicate",
      since: null,
      why: one.pendingDelete ? "its destroy was sent; it is still listed" : "a second instance with this label",
      next: null,
    })),
  ];
}

const isoOrNull = (at: number | null) => (at === null ? null : new Date(at).toISOString());
const instant = (text: string | null) => (text === null ? null : Date.parse(text));
