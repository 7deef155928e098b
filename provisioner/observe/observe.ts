// Observes the world once per pass: list, template, bans, probes. Touches the API, Redis and the instances, and changes nothing.
import type { Clock } from "../../common/clock.ts";
import type { BanStore } from "../blacklist/store.ts";
import type { AccountReadings } from "../fleet/account-readings.ts";
import type { Desired } from "../model/desired.ts";
import { currentEndpoint, remoteOnly } from "../model/endpoint.ts";
import { phaseOf, stoppedByVast } from "../model/instance-phase.ts";
import { known, type Observation, type ObservedInstance, type Published, type Seen } from "../model/observation.ts";
import type { State } from "../state/schema.ts";
import type { VastClient } from "../vast/client.ts";
import { asVastError } from "../vast/errors.ts";
import type { Instance } from "../vast/rows.ts";
import {
  afterListRequest,
  type ListOutcome,
  listDueAt,
  startListSchedule,
  templateIsNeeded,
  type Urgency,
  wakesForList,
} from "./list-schedule.ts";
import { firstObservation, type PollSlot } from "./poll-schedule.ts";
import type { Probe } from "./probe.ts";
import { createTemplateCache } from "./template-cache.ts";
import { unknownBecause } from "./unknown.ts";

// A rate-limited list is no news: the last answered list still counts for this long. After that the list is unknown.
const LIST_VALID_MS = 120_000;

export interface ObserverParts {
  client: VastClient;
  readings: AccountReadings;
  bans: BanStore;
  probe: Probe;
  clock: Clock;
  random: () => number;
  desired: Desired;
  /** Whether an address of this machine may be an instance's. */
  allowLocal: boolean;
  slot: PollSlot;
  /** The pod has never run here: it keeps to its time slots, since neighbours may be starting as well. */
  fresh: boolean;
  firstCreateWaitMs: number;
  /** Epoch ms before which a list would have to wait for its rate limit. */
  listAvailableAt: () => number;
  /** Prevents creates from starting before `until` (epoch ms). */
  blockCreateUntil: (until: number) => void;
}

export interface Observer {
  observe(state: State, published: Published, urgency: Urgency, signal?: AbortSignal): Promise<Observation>;
  /** Epoch ms at which to observe next when the plan wants it at `wantedAt`: earlier where a time slot comes before that. */
  wakeAt(urgency: Urgency, wantedAt: number): number;
}

export function createObserver(parts: ObserverParts): Observer {
  const { client, readings, bans, clock, random, desired, slot, listAvailableAt } = parts;
  const templates = createTemplateCache(parts);
  let schedule = startListSchedule(slot, parts.fresh, parts.firstCreateWaitMs);
  let last: Observation | null = null;

  const dueAt = ({ list }: Observation, urgency: Urgency) =>
    listDueAt(schedule, urgency, list.known, listAvailableAt, clock.now());
  const observeTemplate = (signal?: AbortSignal) => templates.observe(templateIsNeeded(schedule), signal);

  async function requestList(retryRateLimited: boolean, signal?: AbortSignal) {
    schedule = { ...schedule, requestedAt: clock.now() };
    const { listed, outcome } = await list(retryRateLimited, signal);
    const after = afterListRequest(schedule, outcome, random);
    schedule = after.schedule;
    if (after.blockCreateUntil !== null) parts.blockCreateUntil(after.blockCreateUntil);
    return listed;
  }

  async function list(retryRateLimited: boolean, signal?: AbortSignal): Promise<ListResult> {
    const listedAt = schedule.requestedAt;
    try {
      const rows = await client.listInstances(desired.label, signal, { retryRateLimited });
      return { listed: { listedAt, list: known(rows) }, outcome: { kind: "answered", rows: rows.length } };
    } catch (error) {
      const failure = asVastError(error);
      const listed = { listedAt, list: unknownBecause(failure) };
      if (failure.kind !== "rate_limited") return { listed, outcome: { kind: "failed" } };
      const valid = last?.list.known && !isInFuture(last, clock) && listedAt - last.listedAt < LIST_VALID_MS;
      return { listed: valid && last ? last : listed, outcome: { kind: "rate_limited", keepsLast: valid === true } };
    }
  }

  /** An observation with the last list and new probes, or null when a new list is needed. */
  async function withLastList(state: State, published: Published, urgency: Urgency, signal?: AbortSignal) {
    if (last === null || isInFuture(last, clock) || clock.now() >= dueAt(last, urgency)) return null;
    const probed = await probeAll(parts, last.list, state, published, signal);
    // When the served instance stops answering, its row may say why.
    const results = [...probed.instances, probed.publishedProbe].map((one) => one?.probe);
    if (urgency === "ready" && results.some((result) => result?.ok === false)) return null;
    return { ...last, ...(await observeTemplate(signal)), ...probed };
  }

  return {
    wakeAt(urgency, wantedAt) {
      if (schedule.createSlotAt !== null) return Math.min(wantedAt, schedule.createSlotAt);
      const times = [wantedAt];
      if (!schedule.awaitsFirstList) times.push(templates.dueAt());
      if (wakesForList(schedule, urgency, wantedAt, clock.now())) times.push(last === null ? 0 : dueAt(last, urgency));
      return Math.min(...times);
    },
    async observe(state, published, urgency, signal) {
      if (schedule.awaitsFirstList && last === null)
        await clock.sleep(firstObservation(slot, clock.now()) - clock.now(), signal);
      const recent = await withLastList(state, published, urgency, signal);
      if (recent !== null) return recent;
      const listed = await requestList(urgency === "now" || schedule.createSlotAt !== null, signal);
      const rows = listed.list.known ? listed.list.value : [];
      const stopped = rows.some((row) => isStopped(row, state, clock.now()));
      const [template, credit, seenBans, counters, probed] = await Promise.all([
        observeTemplate(signal),
        stopped ? observeCredit(readings, signal) : undefined,
        bans.bans(),
        bans.counters(rows.map((row) => row.id)),
        probeAll(parts, listed.list, state, published, signal),
      ]);
      last = { listedAt: listed.listedAt, list: listed.list, ...template, bans: seenBans, counters, ...probed };
      if (credit !== undefined) last.credit = credit;
      return last;
    },
  };
}

type Listed = Pick<Observation, "listedAt" | "list">;
type ListResult = { listed: Listed; outcome: ListOutcome };

/** After the clock was set back, a list from the future would count as fresh, and no other would be due until then. */
function isInFuture({ listedAt }: Listed, clock: Clock): boolean {
  return clock.now() < listedAt;
}

async function observeCredit(readings: AccountReadings, signal?: AbortSignal): Promise<Seen<number | null>> {
  try {
    return known((await readings.credit(signal)).value);
  } catch (error) {
    return unknownBecause(asVastError(error));
  }
}

/** The endpoint and the probe of every row that is not being destroyed; while the list is unknown, of the published server. */
async function probeAll(
  parts: ObserverParts,
  list: Observation["list"],
  state: State,
  published: Published,
  signal?: AbortSignal,
): Promise<Pick<Observation, "instances" | "publishedProbe">> {
  if (!list.known) return { instances: [], publishedProbe: await probePublished(parts, published, signal) };
  const { probe, desired, clock } = parts;
  const live = list.value.filter((row) => !state.pendingDeletes.some((d) => d.id === row.id));
  const instances = live.map(async (row): Promise<ObservedInstance> => {
    const chosen = currentEndpoint(row, state.tracks[row.id], desired.upstreamPort, clock.now());
    const endpoint = parts.allowLocal ? chosen : remoteOnly(chosen);
    return { row, endpoint, probe: endpoint.found ? await probe(endpoint.endpoint, row.id, signal) : null };
  });
  return { instances: await Promise.all(instances), publishedProbe: null };
}

async function probePublished(
  { probe }: ObserverParts,
  { server, instance }: Published,
  signal?: AbortSignal,
): Promise<Observation["publishedProbe"]> {
  if (server === null || instance === null) return null;
  return { instanceId: instance.id, probe: await probe({ host: server.host, port: server.port }, instance.id, signal) };
}

/** Stopped, and not by this program: Vast.ai does that to every instance of an account that has no credit left. */
function isStopped(row: Instance, state: State, now: number): boolean {
  return !state.pendingDeletes.some((d) => d.id === row.id) && stoppedByVast(phaseOf(row, row.createdAt ?? now, now));
}
